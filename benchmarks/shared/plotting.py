"""How all plots look, and how they are saved (extra `[bench]`)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaussiandiffusion.ground.files import write_bytes

# Colours that the colour-blind tell apart: Okabe and Ito, "Color Universal Design", 2008.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "gaussiandiffusion", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#dddddd",
    "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "lines.linewidth": 1.4,
    "lines.markersize": 4, "figure.facecolor": "white", "axes.titlesize": 10, "legend.fontsize": 8,
}  # fmt: skip


def plain_ticks(axes: Axes, ticks: Sequence[float]) -> None:
    """Numbers, not powers of ten, on a logarithmic axis."""
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def save(figure: Figure, path: Path) -> None:
    """Write a plot as SVG, the same bytes for the same numbers."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", bbox_inches="tight", metadata={"Date": None})
    write_bytes(path, content.getvalue())
