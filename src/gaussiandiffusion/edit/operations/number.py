"""Which splats there are: deleted, duplicated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Length, Operation, check_count, check_range, distance
from gaussiandiffusion.edit.operations.counts import join, keep
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats

MOST_COPIES = 1000


@dataclass(frozen=True)
class Delete(Operation):
    """Take splats away."""

    name: ClassVar[str] = "delete"

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        if where is None or bool(where.all()):
            raise InputError("delete: no splat would be left; select those to delete")
        return keep(splats, ~where, where)


@dataclass(frozen=True)
class Duplicate(Operation):
    """Add copies, each moved and turned on from the one before; the copies are then what is selected.

    Attributes:
        copies: how many.
        x, y: how far right and down of the one before a copy lies.
        degrees: how much further it is turned, clockwise, about the centroid of what is copied.
    """

    name: ClassVar[str] = "duplicate"
    copies: int = 1
    x: Length = 0.0
    y: Length = 0.0
    degrees: float = 0.0

    def __post_init__(self) -> None:
        check_range(self.name, 1, MOST_COPIES, copies=self.copies)
        check_range(self.name, -1e6, 1e6, degrees=self.degrees)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        dx, dy = (distance(self.name, key, getattr(self, key), splats.canvas) for key in ("x", "y"))
        if where is not None and not bool(where.any()):
            return Edited(splats, where)
        one = splats if where is None else keep(splats, where, where).splats
        check_count(self.name, len(splats) * (splats.num_splats + self.copies * one.num_splats))
        copies = [
            (one.rotate(self.degrees * i) if self.degrees else one).translate(dx * i, dy * i)
            for i in range(1, self.copies + 1)
        ]
        joined = join([splats, *copies])
        new = torch.arange(joined.num_splats, device=splats.device) >= splats.num_splats
        drawn = (joined.colors != 0).any(-1)  # not what only fills up
        selected = new.expand(len(splats), -1) if where is None else new & drawn
        return Edited(joined, selected)
