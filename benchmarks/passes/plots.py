"""The plot of benchmarks/results/passes.json: FID over passes of the network and over time."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.shared.markdown import Record
from benchmarks.shared.plotting import COLORS, MARKERS, plain_ticks

Points = dict[str, list[tuple[float, Record]]]


def lines(record: Record, speed: bool) -> Points:
    """Each model's (x, row), rising in x: passes, or milliseconds an image."""
    found: Points = {}
    for key, row in record["rows"].items():
        x = record["speed"][key]["milliseconds_per_image"] if speed else row["passes"]
        found.setdefault(row["title"], []).append((x, row))
    return {title: sorted(points, key=lambda point: point[0]) for title, points in found.items()}


def draw(axes: Axes, points: Points, floor: float) -> None:
    """FID over x, spread of the seeds shaded, with the floor of real images."""
    for i, (title, line) in enumerate(points.items()):
        xs = [x for x, _ in line]
        fids = [row["fid"] for _, row in line]
        axes.loglog(xs, [fid["mean"] for fid in fids], marker=MARKERS[i], color=COLORS[i], label=title)
        low, high = ([fid[end] for fid in fids] for end in ("min", "max"))
        axes.fill_between(xs, low, high, color=COLORS[i], alpha=0.15, linewidth=0)
    axes.axhline(floor, linestyle="--", color="#666666", linewidth=0.9, label="real train images")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def plot(record: Record) -> Figure:
    """Over passes, and where times were measured over milliseconds."""
    timed = "speed" in record
    figure = Figure(figsize=(4.2 * (1 + timed), 3.2))
    all_axes = figure.subplots(1, 1 + timed, sharey=True, squeeze=False)[0]
    floor = next(iter(record["rows"].values()))["reports"][0]["floor_train"]
    for axes, speed in zip(all_axes, (False, True), strict=False):
        draw(axes, lines(record, speed), floor)
        axes.set(xlabel="milliseconds an image" if speed else "passes of the network")
    plain_ticks(all_axes[0], sorted({row["passes"] for row in record["rows"].values()}))
    if timed:
        plain_ticks(all_axes[1], (0.5, 1, 2, 5))
    all_axes[0].set_ylabel("FID")
    all_axes[0].legend()
    return figure


PLOTS: dict[str, tuple[str, Callable[[Record], Figure]]] = {"passes": ("rows", plot)}
