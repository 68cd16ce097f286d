"""Splats brought to an edge of the canvas, or to its middle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Operation
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats

REACH = 2.0  # sigmas to which a splat is counted as seen


@dataclass(frozen=True)
class Align(Operation):
    """Move each set's selection so that it touches an edge of the canvas, or lies in its middle."""

    name: ClassVar[str] = "align"
    x: Literal["left", "center", "right"] | None = None
    y: Literal["top", "center", "bottom"] | None = None

    def __post_init__(self) -> None:
        if self.x is None and self.y is None:
            raise InputError("align: say to where: x=left, center or right, y=top, center or bottom")

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        low, high = extent(splats, where)
        canvas = splats.canvas
        half = splats.means.new_tensor([canvas.width, canvas.height]) / canvas.longer_side
        shift = torch.zeros_like(low)  # (n, 2)
        for axis, to in enumerate((self.x, self.y)):
            if to in ("left", "top"):
                shift[:, axis] = -half[axis] - low[:, axis]
            elif to in ("right", "bottom"):
                shift[:, axis] = half[axis] - high[:, axis]
            elif to == "center":
                shift[:, axis] = -(low[:, axis] + high[:, axis]) / 2
        means = splats.means + shift[:, None]
        return Edited(
            replace(splats, means=means if where is None else torch.where(where[..., None], means, splats.means)), where
        )


def extent(splats: Splats, where: Bool[Tensor, "n k"] | None) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 2"]]:
    """Upper left and lower right corner of what each set draws, to two sigmas; zeros where it is nothing."""
    drawn = (splats.colors != 0).any(-1)
    if splats.opacities is not None:
        drawn = drawn & (splats.opacities > 0)
    if where is not None:
        drawn = drawn & where
    low = (splats.means - REACH * splats.sigmas).masked_fill(~drawn[..., None], float("inf")).amin(1)
    high = (splats.means + REACH * splats.sigmas).masked_fill(~drawn[..., None], float("-inf")).amax(1)
    some = drawn.any(1)[:, None]
    return torch.where(some, low, 0), torch.where(some, high, 0)
