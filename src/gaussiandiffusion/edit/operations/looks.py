"""How splats look: their colours, and how much they count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Operation, check_range
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats, color

MOST = 1000.0  # factor


@dataclass(frozen=True)
class Recolor(Operation):
    """Give a palette's nearest colours, or another colour for one; then change hue, saturation and brightness.

    A splat keeps its amplitude, the largest of its red, green and blue, but for `brightness`, and for `replace`, where
    a splat of the old colour gets the new one as it is.

    Attributes:
        hue: degrees to turn it by.
        saturation, brightness: factors.
        palette: colours as #rrggbb, one or more.
        replace, by: an old colour and its new one.
        distance: from the old colour, in CIELAB, to which colours are replaced.
    """

    name: ClassVar[str] = "recolor"
    bare: ClassVar[bool] = False
    hue: float = 0.0
    saturation: float = 1.0
    brightness: float = 1.0
    palette: tuple[str, ...] = ()
    replace: str | None = None
    by: str | None = None
    distance: float = 20.0

    def __post_init__(self) -> None:
        check_range(self.name, -1e6, 1e6, hue=self.hue)
        check_range(self.name, 0, MOST, saturation=self.saturation, brightness=self.brightness, distance=self.distance)
        if (self.replace is None) != (self.by is None):
            raise InputError("recolor: replace and by go together, as in replace=#ff0000,by=#0000ff")
        for key, text in (("palette", self.palette), ("replace", (self.replace,) if self.replace else ())):
            for each in text:
                if max(color.parse_color(each)) == 0:
                    raise InputError(f"recolor: {key} cannot be black: a splat keeps its amplitude, and black has none")
        if self.by is not None:
            color.parse_color(self.by)

    def idle(self) -> dict[str, str]:
        return {"distance": "give replace and by too"} if self.replace is None else {}

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        changed = splats
        if self.replace is not None and self.by is not None:
            rgb = color.colored(splats.colors)
            old, new = (rgb.new_tensor(color.parse_color(each)) for each in (self.replace, self.by))
            near = color.lab_distance(splats.colors, self.replace) <= self.distance
            put = new * (rgb.amax(-1, keepdim=True) / old.amax())
            changed = with_rgb(changed, torch.where(near[..., None], put, rgb))
        if self.palette:
            rgb = color.colored(changed.colors)
            palette = rgb.new_tensor([color.parse_color(each) for each in self.palette])
            changed = with_rgb(changed, color.in_color(rgb, color.nearest_color(changed.colors, palette)))
        changed = changed.recolor(self.hue, self.saturation, self.brightness)
        if where is None:
            return Edited(changed, None)
        return Edited(_keep_rest(splats, changed, where), where)


@dataclass(frozen=True)
class Opacity(Operation):
    """Multiply the opacity; 1 is the most that comes of it."""

    name: ClassVar[str] = "opacity"
    factor: float

    def __post_init__(self) -> None:
        check_range(self.name, 0, MOST, factor=self.factor)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        before = torch.ones_like(splats.rhos) if splats.opacities is None else splats.opacities
        after = (before * self.factor).clamp_max(1)
        return Edited(replace(splats, opacities=after if where is None else torch.where(where, after, before)), where)


def with_rgb(splats: Splats, rgb: Float[Tensor, "n k 3"]) -> Splats:
    """The sets in other colours; their alpha, where they have one, stays."""
    return replace(splats, colors=torch.cat([rgb, splats.colors[..., 3:]], -1))


def _keep_rest(before: Splats, after: Splats, where: Bool[Tensor, "n k"]) -> Splats:
    return replace(after, colors=torch.where(where[..., None], after.colors, before.colors))
