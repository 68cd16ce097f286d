"""The plot of cifar10-baselines.json: distance over samples seen in training."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from benchmarks.shared.markdown import Record
from benchmarks.shared.plotting import COLORS, MARKERS


def plot(record: Record) -> Figure:
    """A line for each model."""
    figure = Figure(figsize=(4.2, 3.2))
    axes = figure.subplots()
    for i, row in enumerate(record["curve"].values()):
        seen = [point["samples_seen"] / 1000 for point in row["points"]]
        fids = [point["fid"] for point in row["points"]]
        axes.semilogy(seen, fids, marker=MARKERS[i], color=COLORS[i], label=row["title"])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="thousand samples seen", ylabel="FID")
    axes.legend()
    return figure


PLOTS: dict[str, tuple[str, Callable[[Record], Figure]]] = {"samples-seen": ("curve", plot)}
