"""What every operation is: values, and what they do to the selected splats of a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats

About = tuple[float, float] | Literal["center"] | None
Length = float | str  # canvas units, or pixels such as "3px"
FARTHEST = 1e4  # canvas units, and factors: beyond lies no picture
MOST_SPLATS = 2**24  # of all sets together


@dataclass(frozen=True)
class Edited:
    """Sets after an operation, and where in them are the splats that it was about; None: all."""

    splats: Splats
    selected: Bool[Tensor, "n k"] | None = None


class Operation:
    """A pure change of sets; subclasses are frozen dataclasses of JSON values.

    Attributes:
        name: in `--op NAME:...`.
        whole: it changes the picture as a whole; the selection it is given is only taken along.
        bare: without any key it does something.
    """

    name: ClassVar[str]
    whole: ClassVar[bool] = False
    bare: ClassVar[bool] = True

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        """The sets changed, and the selection in them.

        Raises:
            InputError: these sets cannot be changed so.
        """
        raise NotImplementedError

    def apply(self, splats: Splats, where: Bool[Tensor, "n k"] | None = None) -> Splats:
        """The sets changed; `where`: which splats, default all."""
        return self.edit(splats, where).splats

    def idle(self) -> Mapping[str, str]:
        """Keys that mean nothing beside the others, each with what it would need."""
        return {}

    def values(self) -> dict[str, Any]:
        """Its values that are not the default, as JSON has them."""
        known = fields(self)  # type: ignore[arg-type]  # every operation is a dataclass
        chosen = {each.name: getattr(self, each.name) for each in known if getattr(self, each.name) != each.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}

    def files(self) -> tuple[str, ...]:
        """Names of the files that it reads."""
        return ()

    def located(self, files: Mapping[str, Path]) -> Operation:
        """The same, reading its files where they lie now."""
        return self


def check_range(name: str, least: float, most: float, **values: float) -> None:
    """Raise InputError unless each value of operation `name` is a number from `least` to `most`."""
    for key, value in values.items():
        if not (math.isfinite(value) and least <= value <= most):
            raise InputError(f"{name}: {key} must lie between {least:g} and {most:g}, not {value:g}")


def check_about(name: str, about: About) -> tuple[float, float] | None:
    """The centre that an operation is about, in canvas units; None: the centroid of its selection."""
    if about is None or about == "center":
        return None if about is None else (0.0, 0.0)
    x, y = about
    check_range(name, -FARTHEST, FARTHEST, **{"about's x": x, "about's y": y})
    return float(x), float(y)


def check_count(name: str, count: int) -> None:
    """Raise InputError if so many splats would fill memory."""
    if count > MOST_SPLATS:
        raise InputError(f"{name}: {count} splats would come of it, at most {MOST_SPLATS} can; ask for fewer")


def distance(name: str, key: str, value: Length, canvas: Canvas) -> float:
    """A length in canvas units.

    Raises:
        InputError: it is none, or longer than any picture.
    """
    number, pixels = pixels_of(name, key, value)
    length = number / canvas.pixels_per_unit if pixels else number
    check_range(name, -FARTHEST, FARTHEST, **{key: length})
    return length


def pixels_of(name: str, key: str, value: Length) -> tuple[float, bool]:
    """The number of a length, and whether it counts pixels; raises InputError for anything else."""
    try:
        number = float(value.removesuffix("px")) if isinstance(value, str) else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name}: {key} must be a length, in canvas units or in pixels as 3px, not {value}")
    return number, isinstance(value, str) and value.endswith("px")
