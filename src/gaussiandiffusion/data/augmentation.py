"""`Augmentation`: how far training images may be changed; `augment` changes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gaussiandiffusion.ground.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """How training images may differ from the files' each time they are seen; every amount is drawn uniformly."""

    flip: bool = False
    """Mirror left to right, with probability 1/2."""
    shift: float = 0
    """Largest shift along each axis in pixels; a whole number shifts by whole pixels, which blurs nothing."""
    rotate: float = 0
    """Largest rotation either way, degrees."""
    zoom: float = 0
    """Largest magnification or reduction: 0.1 scales by a factor between 1/1.1 and 1.1."""

    def __post_init__(self) -> None:
        for name in ("shift", "rotate", "zoom"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"augment.{name} must be a number of at least 0, not {value}")

    @property
    def moves(self) -> bool:
        """Whether pixels are resampled or shifted, beyond mirroring."""
        return bool(self.shift or self.rotate or self.zoom)

    def __bool__(self) -> bool:
        return self.flip or self.moves
