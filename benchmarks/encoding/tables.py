"""Tables of benchmarks/results/encoding.json, one function a section."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.shared.inputs import NAMES
from benchmarks.shared.markdown import Results, conditions, table


def throughput(results: Results) -> str:
    """Whole data sets."""
    head = ["data", "K", "asked for", "images", "seconds", "images/s", "mean PSNR", "p1", "min", "below", "peak memory"]
    rows = []
    for result in results.values():
        psnr, target = result["psnr"], result["target_psnr"]
        rows.append(
            [
                NAMES[result["data"]], result["num_splats"], "-" if target is None else f"{target:g} dB",
                f"{result['images']:,}", f"{result['seconds']:.1f}", f"{result['images_per_second']:,.0f}",
                *(f"{psnr[key]:.1f} dB" for key in ("mean", "p1", "min")),
                "-" if target is None else result["below_target"], f"{result['peak_memory_bytes'] / 2**20:.0f} MiB",
            ]
        )  # fmt: skip
    return f"{table(head, rows)}\n\nTraining splits; wall-clock, {conditions(results)}"


def splats(results: Results) -> str:
    """PSNR by number of splats and iterations, a table a data set."""
    parts = []
    for name, result in results.items():
        steps = sorted({row["iterations"] for row in result["rows"]})
        cells = {(row["splats"], row["iterations"]): _cell(row) for row in result["rows"]}
        counts = sorted({count for count, _ in cells})
        rows = [[count, *(cells[count, step] for step in steps)] for count in counts]
        head = [f"{NAMES[name]}, K", *(f"{step} iterations" for step in steps)]
        parts.append(table(head, rows))
    return "\n\n".join(parts) + f"\n\n{_legend(results)}"


def iterations(results: Results) -> str:
    """PSNR by iterations, a column a data set."""
    cells = {(name, row["iterations"]): _cell(row) for name, result in results.items() for row in result["rows"]}
    steps = sorted({step for _, step in cells})
    head = ["iterations", *(f"{NAMES[name]}, K = {result['num_splats']}" for name, result in results.items())]
    rows = [[step, *(cells.get((name, step), "-") for name in results)] for step in steps]
    return f"{table(head, rows)}\n\n{_legend(results)}"


def starts(results: Results) -> str:
    """Starts at equal splats and iterations, and the canonical settings against their targets."""
    rows, sentences = [], []
    for name, result in results.items():
        for row in result["rows"]:
            start = f"**{row['start']}**" if row["canonical"] else row["start"]
            figures = (f"{row[key]:.2f}" for key in ("noise", "neighbours", "random", "ratio"))
            cells = [NAMES[name], start, row["iterations"], f"{row['psnr']:.1f} dB", *figures]
            rows.append(cells)
        target = result["canonical_target"]
        ratio = "" if target["ratio"] is None else f", ratio at most {target['ratio']:.2f}"
        sentences.append(
            f"{NAMES[name]} (K = {result['num_splats']}): at least {target['psnr']:g} dB, noise at most "
            f"{target['noise']:.2f}{ratio}: {'reached' if result['canonical_reached'] else '**not reached**'}."
        )
    head = ["data", "start", "iterations", "PSNR", "noise", "neighbours", "random", "ratio"]
    return (
        f"{table(head, rows, 2)}\n\nBold: the canonical settings. Asked of them: {' '.join(sentences)} "
        f"{_images(results)} test images; {conditions(results)}"
    )


def colours(results: Results) -> str:
    """Non-negative against signed colours."""
    rows = []
    for name, result in results.items():
        psnr = {(row["iterations"], row["signed"]): row["psnr_mean"] for row in result["rows"]}
        for step in sorted({step for step, _ in psnr}):
            plain, signed = psnr[step, False], psnr[step, True]
            rows.append([NAMES[name], step, f"{plain:.1f} dB", f"{signed:.1f} dB", f"{signed - plain:+.1f} dB"])
    head = ["data", "iterations", "non-negative", "signed", "gain"]
    return f"{table(head, rows)}\n\nMeans over {_images(results)} test images of each data set. {conditions(results)}"


def photographs(results: Results) -> str:
    """PSNR and seconds over all photographs."""
    cells: dict[tuple[int, str, int], list[dict[str, Any]]] = {}
    for result in results.values():
        for row in result["rows"]:
            key = (
                row["splats"],
                row.get("allocate", "start"),
                row["iterations"],
            )  # once, there was nothing but the start
            cells.setdefault(key, []).append(row)
    rows = []
    for (count, allocate, step), found in sorted(cells.items()):
        psnr, seconds = [row["psnr"] for row in found], [row["seconds"] for row in found]
        rows.append(
            [
                f"{count:,}", f"by {allocate}", step, f"{statistics.mean(psnr):.1f} dB",
                f"{min(psnr):.1f} to {max(psnr):.1f}",
                f"{statistics.median(seconds):.1f} s", f"{max(seconds):.1f} s",
            ]
        )  # fmt: skip
    sizes = ", ".join(sorted({f"{result['width']}x{result['height']}" for result in results.values()}))
    head = ["K", "allocated", "iterations", "mean PSNR", "min to max", "median time", "longest"]
    return (
        f"{table(head, rows, 0)}\n\n{len(results)} photograph(s) of {sizes} pixels; wall-clock, {conditions(results)}"
    )


def _cell(row: dict[str, Any]) -> str:
    return f"{row['psnr_mean']:.1f} ({row['psnr_p10']:.1f}), {row['core_milliseconds']:.2f} ms"


def _images(results: Results) -> str:
    return "/".join(dict.fromkeys(f"{result['images']:,}" for result in results.values()))


def _legend(results: Results) -> str:
    return (
        f"Mean PSNR in dB (10th percentile) of {_images(results)} test images of each data set, and core-milliseconds "
        f"an image: {conditions(results, core_time=True)}"
    )


SECTIONS = {
    "throughput": throughput,
    "splats": splats,
    "iterations": iterations,
    "starts": starts,
    "colours": colours,
    "photographs": photographs,
    "many": photographs,
}
