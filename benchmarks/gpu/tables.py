"""The plain table of a run, for a terminal."""

from __future__ import annotations

from typing import Any

HEAD = ("figure", "measured", "unit", "ceiling", "share", "target", "set by")
WIDTHS = (58, 12, 12, 12, 8, 12, 0)
LONGEST = 3  # kernels to show of those recorded
POINTS = 6  # of a curve


def plain_table(record: dict[str, Any]) -> str:
    """Every figure beside its ceiling, section by section, and what is missing with its reason."""
    device = record["device"]
    versions = record["versions"]
    lines = [f"{device['name']}, driver {device.get('driver') or 'none'}, torch {versions['torch']}"]
    if record["quick"]:
        lines.append("A quick run in miniature: these are no results.")
    for name, section in record["sections"].items():
        state = "" if section["state"] == "done" else f": {section['state']}, {section.get('reason', 'no reason')}"
        lines += ["", f"{name} ({section['seconds']:.0f} s){state}"]
        if section["figures"]:
            lines.append(_aligned(HEAD))
        for figure in section["figures"]:
            lines += [_aligned(_cells(figure)), *_remarks(figure["detail"])]
        lines += [f"left out: {missing}: {reason}" for missing, reason in section["left_out"].items()]
    return "\n".join(lines)


def _cells(figure: dict[str, Any]) -> tuple[str, ...]:
    share, met = figure["share"], figure["met"]
    goal = _number(figure["target"]) if met is None else f"{_number(figure['target'])} {'met' if met else 'not met'}"
    return (
        figure["name"], _number(figure["value"]), figure["unit"], _number(figure["ceiling"]),
        "" if share is None else f"{100 * share:.2g} %", goal, figure["limit"],
    )  # fmt: skip


def _remarks(detail: dict[str, Any]) -> list[str]:
    """What the device was busy with, where that was profiled, and how a loss fell."""
    lines = []
    for name, profile in detail.items():
        if not name.startswith("profile_of_"):
            continue
        words = name.removeprefix("profile_of_").replace("_", " ")
        if "left_out" in profile:
            lines.append(f"    {words}: not profiled, {profile['left_out']}")
            continue
        busy, started = 1e3 * profile["seconds_busy"], 1e3 * profile["seconds_of_launches"]
        lines.append(f"    {words}: {profile['kernels']} kernels, busy {busy:.3g} ms, to start them {started:.3g} ms")
        lines += [f"      {row['share']:4.0%}  {row['name']}" for row in profile["longest"][:LONGEST]]
    if curve := detail.get("curve"):
        chosen = [curve[i * (len(curve) - 1) // (POINTS - 1)] for i in range(POINTS)]
        points = dict.fromkeys(f"{loss:.3f} at step {step}" for step, loss in chosen if loss is not None)
        lines.append(f"    {detail['of']}; loss {', '.join(points)}")
    return lines


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _aligned(cells: tuple[str, ...]) -> str:
    first, *others = zip(cells, WIDTHS, strict=True)
    words = [f"{first[0]:<{first[1]}}"]
    for i, (text, width) in enumerate(others, 1):
        left = i in (2, len(cells) - 1)  # unit and limit are words
        words.append(f"{text:<{width}}" if left else f"{text:>{width}}")
    return "  ".join(words).rstrip()
