"""The canvas: the picture's size, and the coordinate system every splat lives in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

from gaussiandiffusion.ground.errors import InputError

MOST_PIXELS = 2**30


@dataclass(frozen=True)
class Canvas:
    """Height, width (pixels) and channels of the picture a splat set draws.

    Coordinates have their origin at the centre, x right, y down, and L = max(height, width) as the unit's
    double: pixel (i, j) has its centre at x = (2j + 1 - width) / L, y = (2i + 1 - height) / L. A square
    canvas spans [-1, 1] edge to edge, and one unit is L / 2 pixels in both directions.
    """

    height: int
    width: int
    channels: int = 1

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InputError(f"a canvas of {self.height}x{self.width} pixels is empty; both sides must be >= 1")
        if self.height * self.width > MOST_PIXELS:
            raise InputError(
                f"a canvas of {self.height}x{self.width} pixels is too large; at most {MOST_PIXELS} in all"
            )
        if self.channels not in (1, 3, 4):
            raise InputError(f"a canvas has 1, 3 or 4 channels, not {self.channels}")

    @property
    def longer_side(self) -> int:
        return max(self.height, self.width)

    @property
    def pixels_per_unit(self) -> float:
        return self.longer_side / 2

    def resized(self, size: int | tuple[int, int] | None) -> Canvas:
        """The same canvas at `size`: (height, width), or the longer side with the aspect kept.

        Raises:
            InputError: neither.
        """
        if size is None:
            return self
        sides = size if isinstance(size, Sequence) else (size,)
        if not (1 <= len(sides) <= 2 and all(isinstance(side, Integral) for side in sides)):
            raise InputError(f"size must be a whole number of pixels, or (height, width), not {size!r:.40}")
        if min(sides) < 1:
            raise InputError(f"size must be at least 1 pixel, not {min(sides)}")
        if len(sides) == 1:
            factor = int(sides[0]) / self.longer_side
            sides = (max(1, round(self.height * factor)), max(1, round(self.width * factor)))
        return Canvas(int(sides[0]), int(sides[1]), self.channels)
