"""Plots of benchmarks/results/encoding.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from benchmarks.shared.inputs import NAMES
from benchmarks.shared.markdown import Record, Results
from benchmarks.shared.plotting import COLORS, MARKERS, plain_ticks

STARTS = ("hilbert", "grid", "template")
CURVES = 4  # numbers of splats drawn in the plot over milliseconds


def panels(count: int) -> tuple[Figure, Sequence[Axes]]:
    """A row of plots that share the PSNR axis."""
    figure = Figure(figsize=(0.6 + 2.9 * count, 3.0))
    axes = figure.subplots(1, count, sharey=True, squeeze=False)
    axes[0, 0].set_ylabel("mean PSNR (dB)")
    return figure, axes[0]


def curve(axes: Axes, i: int, rows: list[dict[str, Any]], x: str, label: str, y: str = "psnr_mean") -> None:
    """The i-th line of a plot: rows in the order of `x`, which is on a logarithmic axis."""
    rows = sorted(rows, key=lambda row: row[x])
    xs, ys = [row[x] for row in rows], [row[y] for row in rows]
    axes.semilogx(xs, ys, marker=MARKERS[i], color=COLORS[i], label=label)


def over_splats(results: Results) -> Figure:
    """PSNR over K, a line for each number of iterations."""
    figure, all_axes = panels(len(results))
    for axes, (name, result) in zip(all_axes, results.items(), strict=True):
        for i, steps in enumerate(sorted({row["iterations"] for row in result["rows"]})):
            chosen = [row for row in result["rows"] if row["iterations"] == steps]
            curve(axes, i, chosen, "splats", f"{steps} iterations")
        counts = sorted({row["splats"] for row in result["rows"]})
        plain_ticks(axes, counts[:: 2 if len(counts) > 5 else 1])
        axes.set(title=NAMES[name], xlabel="splats")
    all_axes[0].legend()
    return figure


def over_iterations(results: Results) -> Figure:
    """Mean PSNR over iterations, the 10th percentile dashed, a line for each data set."""
    figure, (axes,) = panels(1)
    figure.set_size_inches(5.2, 3.4)
    for i, (name, result) in enumerate(results.items()):
        curve(axes, i, result["rows"], "iterations", f"{NAMES[name]}, K = {result['num_splats']}")
        rows = sorted(result["rows"], key=lambda row: row["iterations"])
        tenth = [row["psnr_p10"] for row in rows]
        axes.plot([row["iterations"] for row in rows], tenth, "--", color=COLORS[i], linewidth=0.9)
    plain_ticks(axes, sorted({row["iterations"] for result in results.values() for row in result["rows"]})[::2])
    axes.plot([], [], "--", color="#666666", linewidth=0.9, label="10th percentile")
    axes.set(xlabel="iterations", ylabel="PSNR (dB)")
    axes.legend()
    return figure


def over_milliseconds(results: Results) -> Figure:
    """PSNR over core-milliseconds, a line for each of some numbers of splats."""
    figure, all_axes = panels(len(results))
    for axes, (name, result) in zip(all_axes, results.items(), strict=True):
        counts = sorted({row["splats"] for row in result["rows"]})
        spaced = [counts[round(i * (len(counts) - 1) / (CURVES - 1))] for i in range(CURVES)]
        for i, count in enumerate(dict.fromkeys(spaced)):
            chosen = [row for row in result["rows"] if row["splats"] == count]
            curve(axes, i, chosen, "core_milliseconds", f"K = {count}")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
        axes.set(title=NAMES[name], xlabel="core-milliseconds an image")
    all_axes[0].legend()
    return figure


def smoothness(results: Results) -> Figure:
    """PSNR over the movement of slots under noise; what canonical sets are asked for is shaded."""
    figure, all_axes = panels(len(results))
    for axes, (name, result) in zip(all_axes, results.items(), strict=True):
        rows, target = result["rows"], result["canonical_target"]
        for i, start in enumerate(STARTS):
            found = sorted((row for row in rows if row["start"] == start), key=lambda row: row["iterations"])
            xs, ys = [row["noise"] for row in found], [row["psnr"] for row in found]
            axes.plot(xs, ys, marker=MARKERS[i], color=COLORS[i], label=start)
            for x, y, row in zip(xs, ys, found, strict=True):
                words = f"{row['iterations']}{' canonical' if row['canonical'] else ''}"
                place = {"xytext": (5, 5 - 6 * i), "textcoords": "offset points"}
                axes.annotate(words, (x, y), fontsize=7, color=COLORS[i], va="center", **place)
        axes.set_xlim(0, 1.3 * max(row["noise"] for row in rows))
        axes.fill_between([0, target["noise"]], target["psnr"], 100, color=COLORS[2], alpha=0.12, linewidth=0)
        axes.set(title=f"{NAMES[name]}, K = {result['num_splats']}", xlabel="movement under noise (deviations)")
    levels = [row["psnr"] for result in results.values() for row in result["rows"]]
    all_axes[0].set_ylim(min(levels) - 2, max(levels) + 2)
    all_axes[-1].legend(title="start", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


PLOTS: dict[str, tuple[str, Callable[[Record], Figure]]] = {
    "psnr-splats": ("splats", lambda record: over_splats(record["splats"])),
    "psnr-iterations": ("iterations", lambda record: over_iterations(record["iterations"])),
    "psnr-milliseconds": ("splats", lambda record: over_milliseconds(record["splats"])),
    "psnr-smoothness": ("starts", lambda record: smoothness(record["starts"])),
}  # name: (section of the results it needs, the plot)
