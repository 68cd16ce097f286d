"""Splats one by one, as text formats hold them, and sets made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.splats import Blending, Output, Splats


@dataclass(frozen=True)
class Row:
    """One splat of a set, in the units of `Splats`."""

    mean: tuple[float, float]
    sigma: tuple[float, float]
    rho: float
    color: tuple[float, ...]
    opacity: float | None = None


def sets_of_rows(
    sets: Sequence[Sequence[Row]],
    canvas: Canvas,
    background: Sequence[Sequence[float]],
    *,
    blending: Blending = "sum",
    output: Output = "clamp",
) -> Splats:
    """A batch of sets of equally many splats, as float32.

    Args:
        sets: the splats of each, in colours of the canvas's channels; where some have an opacity, others have 1.
        background: of every set, a number a channel.
        blending, output: see `Splats`.
    """
    shape = len(sets), len(sets[0])

    def stacked(name: str, *more: int) -> Tensor:
        values = [[getattr(row, name) for row in rows] for rows in sets]
        return torch.tensor(values, dtype=torch.float32).reshape(*shape, *more)

    opacities = None
    if any(row.opacity is not None for rows in sets for row in rows):
        opacities = torch.tensor([[1.0 if row.opacity is None else row.opacity for row in rows] for rows in sets])
    return Splats(
        stacked("mean", 2),
        stacked("sigma", 2),
        stacked("rho"),
        stacked("color", canvas.channels),
        canvas,
        opacities=opacities,
        background=torch.tensor(background, dtype=torch.float32),
        blending=blending,
        output=output,
    )
