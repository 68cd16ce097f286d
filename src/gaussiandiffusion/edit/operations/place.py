"""Where splats are: moved, turned, scaled, slanted, mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import (
    FARTHEST,
    About,
    Edited,
    Length,
    Operation,
    check_about,
    check_range,
    distance,
)
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats

LEAST_FACTOR = 1e-4


@dataclass(frozen=True)
class Move(Operation):
    """Move right by `x` and down by `y`."""

    name: ClassVar[str] = "move"
    bare: ClassVar[bool] = False
    x: Length = 0.0
    y: Length = 0.0

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        dx, dy = (distance(self.name, key, getattr(self, key), splats.canvas) for key in ("x", "y"))
        return Edited(splats.translate(dx, dy, where=where), where)


@dataclass(frozen=True)
class Rotate(Operation):
    """Turn clockwise by `degrees`, about the selection's centroid unless `about` says otherwise."""

    name: ClassVar[str] = "rotate"
    degrees: float
    about: About = None

    def __post_init__(self) -> None:
        check_range(self.name, -1e6, 1e6, degrees=self.degrees)
        check_about(self.name, self.about)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        return Edited(splats.rotate(self.degrees, about=check_about(self.name, self.about), where=where), where)


@dataclass(frozen=True)
class Scale(Operation):
    """Enlarge by `factor`, times `x` along x and `y` along y; below 0 it mirrors."""

    name: ClassVar[str] = "scale"
    bare: ClassVar[bool] = False
    factor: float = 1.0
    x: float = 1.0
    y: float = 1.0
    about: About = None

    def __post_init__(self) -> None:
        for key in ("factor", "x", "y"):
            value = getattr(self, key)
            check_range(self.name, -FARTHEST, FARTHEST, **{key: value})
            if abs(value) < LEAST_FACTOR:
                raise InputError(f"{self.name}: {key} must be at least {LEAST_FACTOR:g} in size, not {value:g}")
        check_about(self.name, self.about)

    @property
    def factors(self) -> tuple[float, float]:
        """Along x and along y."""
        return float(self.factor * self.x), float(self.factor * self.y)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        return Edited(splats.scale(self.factors, about=check_about(self.name, self.about), where=where), where)


@dataclass(frozen=True)
class Shear(Operation):
    """Slant: right by `x` for every unit down, and down by `y` for every unit right."""

    name: ClassVar[str] = "shear"
    bare: ClassVar[bool] = False
    x: float = 0.0
    y: float = 0.0
    about: About = None

    def __post_init__(self) -> None:
        check_range(self.name, -100, 100, x=self.x, y=self.y)
        if abs(self.x * self.y - 1) < LEAST_FACTOR:
            raise InputError(f"{self.name}: x times y must not be 1, which would flatten the picture to a line")
        check_about(self.name, self.about)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        return Edited(splats.shear(self.x, self.y, about=check_about(self.name, self.about), where=where), where)


@dataclass(frozen=True)
class Flip(Operation):
    """Mirror left and right ("horizontal") or top and bottom: the picture, or a selection about its centroid."""

    name: ClassVar[str] = "flip"
    axis: Literal["horizontal", "vertical"] = "horizontal"
    about: About = None

    def __post_init__(self) -> None:
        check_about(self.name, self.about)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        return Edited(splats.flip(self.axis, about=check_about(self.name, self.about), where=where), where)
