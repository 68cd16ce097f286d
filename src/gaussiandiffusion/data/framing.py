"""`Framing`: the one size and the one mode that pictures of many are brought to. `data/framed.py` does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gaussiandiffusion.ground.errors import InputError

Fit = Literal["crop", "pad", "stretch"]
Mode = Literal["RGB", "RGBA", "L"]

CHANNELS_OF = {"L": 1, "RGB": 3, "RGBA": 4}
LARGEST_CANVAS = 8192  # pixels a side: beyond it a single picture has more pixels than decoders accept


@dataclass(frozen=True)
class Framing:
    """How pictures of mixed sizes and modes become pictures of one; by default they stay as they are.

    Raises:
        InputError: a canvas out of range, or a fit without a canvas.
    """

    canvas: int | None = None
    """Bring pictures of any size to squares of N x N pixels."""
    fit: Fit | None = None
    """How, where a picture is no square: crop its centre (default), pad (transparent, else black), or stretch."""
    mode: Mode | None = None
    """Bring pictures of any kind to one: RGB and L show what is transparent over black; in RGBA the rest is opaque."""

    def __post_init__(self) -> None:
        if self.canvas is not None and not 1 <= self.canvas <= LARGEST_CANVAS:
            raise InputError(f"--canvas must lie between 1 and {LARGEST_CANVAS}, not {self.canvas}")
        if self.fit is not None and self.canvas is None:
            raise InputError(f"--fit {self.fit} says how pictures are brought to a canvas; give --canvas N too")

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return self.canvas is not None or self.mode is not None

    def shape(self, canvas: tuple[int, int, int]) -> tuple[int, int, int]:
        """What a canvas (H, W, C) becomes."""
        height, width, channels = canvas
        if self.canvas is not None:
            height = width = self.canvas
        return height, width, channels if self.mode is None else CHANNELS_OF[self.mode]
