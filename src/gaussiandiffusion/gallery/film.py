"""Frames of what changes with time: panels side by side, or chosen times as a strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering.ellipses import draw_ellipses
from gaussiandiffusion.rendering.media import GAP, grid_image
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.splats import Canvas

GROUND, INK = 40, 230  # grey levels behind the pictures and of what is written there
LINE = 18  # pixels of a line of writing
LETTERS = 12  # their size in pixels
WRITTEN = 140  # pixels left for what is written over frames, which must not change their size
BETWEEN = 8  # pixels between panels
CHECKS = 8  # pixels of a square of what shows through transparent pictures
CHECKED = (102, 153)  # their grey levels
ENLARGED = 96  # pixels of the longer side that smaller pictures are drawn at
PIXELS = 2**30  # values of all frames together that are held


@runtime_checkable
class Panel(Protocol):
    """One of the things that are shown side by side."""

    @property
    def name(self) -> str: ...

    def sheet(self, time: float, columns: int | None) -> Image.Image:
        """What it shows at a time from 0 to 1, pictures in so many columns; of one size at all times."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Sets or images, drawn.

    Attributes:
        at: what a representation draws, at a time from 0 to 1.
        representation: draws it; pixels are enlarged as they are.
        size: longer side in pixels.
        ellipses: outline every splat.
    """

    name: str
    at: Callable[[float], Any]
    representation: Representation[Any]
    size: int
    ellipses: bool = False

    def sheet(self, time: float, columns: int | None) -> Image.Image:
        shown = self.at(time)
        splats = self.representation.splats_of(shown)
        if splats is None:
            canvas = self.representation.canvas.resized(self.size)
            images = F.interpolate(self.representation.draw(shown), (canvas.height, canvas.width), mode="nearest")
            return grid_image(opaque(to_uint8(images)), columns)
        pixels = opaque(to_uint8(self.representation.draw(shown, self.size)))
        return grid_image(draw_ellipses(pixels, splats) if self.ellipses else pixels, columns)


@dataclass(frozen=True, eq=False)
class Film:
    """What is shown from time 0 to 1.

    Attributes:
        panels: side by side.
        caption: what is written over a frame or, in a strip, over a time; None: nothing over frames, the time in a
            strip.
    """

    panels: Sequence[Panel]
    caption: Callable[[float], str] | None = None

    def frame(self, time: float, columns: int | None = None) -> Image.Image:
        """Everything at a time from 0 to 1."""
        sheets = [panel.sheet(time, columns) for panel in self.panels]
        if len(sheets) > 1:
            sheets = [_captioned(sheet, panel.name) for sheet, panel in zip(sheets, self.panels, strict=True)]
        whole = _placed([sheets], BETWEEN) if len(sheets) > 1 else sheets[0]
        return whole if self.caption is None else _captioned(whole, self.caption(time), WRITTEN)

    def strip(self, times: Sequence[float]) -> Image.Image:
        """One column a time, one row a picture, panel below panel."""
        rows = [[panel.sheet(time, 1) for time in times] for panel in self.panels]
        if len(rows) > 1:
            for row, panel in zip(rows, self.panels, strict=True):
                row[:] = [_captioned(sheet, "" if i else panel.name) for i, sheet in enumerate(row)]
        words = [f"{time:g}" if self.caption is None else self.caption(time) for time in times]
        rows[0] = [_captioned(sheet, text) for sheet, text in zip(rows[0], words, strict=True)]
        return _placed(rows, 0)


def drawn_size(canvas: Canvas, size: int | None) -> int:
    """Longer side of pictures in pixels where nobody chose it: enough to see something."""
    return max(canvas.longer_side, ENLARGED) if size is None else size


def check_room(canvas: Canvas, size: int, count: int, frames: int) -> None:
    """Refuse frames that would fill memory; raises InputError."""
    drawn = canvas.resized(size)
    needed = count * (drawn.height + GAP) * (drawn.width + GAP) * frames * max(3, canvas.channels)
    if needed > PIXELS:
        raise InputError(
            f"{frames} frames of {count} pictures of {drawn.width}x{drawn.height} pixels are too much to hold; "
            "ask for fewer --frames or pictures (--num), or a smaller --size"
        )


def opaque(pixels: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n _ h w"]:
    """Pictures with alpha over squares of two greys, in RGB; others as they are."""
    if pixels.shape[1] != 4:
        return pixels
    y, x = (torch.arange(n) // CHECKS for n in pixels.shape[2:])
    squares = torch.tensor(CHECKED)[(y[:, None] + x) % 2]  # (h, w)
    alpha = pixels[:, 3:].float() / 255
    return (pixels[:, :3] * alpha + squares * (1 - alpha)).round().to(torch.uint8)


def _captioned(sheet: Image.Image, text: str, width: int | None = None) -> Image.Image:
    """A sheet with a line of writing above, as wide as either needs, the writing at most so wide if that is given."""
    font = ImageFont.load_default(LETTERS)
    width = max(sheet.width, math.ceil(font.getlength(text)) + 2 * GAP if width is None else width)
    whole = Image.new(sheet.mode, (width, sheet.height + LINE), _grey(sheet.mode, GROUND))
    ImageDraw.Draw(whole).text((width // 2, LINE // 2), text, _grey(sheet.mode, INK), font, anchor="mm")
    whole.paste(sheet, ((width - sheet.width) // 2, LINE))
    return whole


def _placed(rows: Sequence[Sequence[Image.Image]], gap: int) -> Image.Image:
    """Images in rows and columns, each centred in its column."""
    mode = "L" if all(image.mode == "L" for row in rows for image in row) else "RGB"
    widths = [max(image.width for image in column) for column in zip(*rows, strict=True)]
    heights = [max(image.height for image in row) for row in rows]
    size = sum(widths) + gap * (len(widths) - 1), sum(heights) + gap * (len(heights) - 1)
    whole = Image.new(mode, size, _grey(mode, GROUND))
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for image, width in zip(row, widths, strict=True):
            whole.paste(image, (left + (width - image.width) // 2, top))
            left += width + gap
        top += height + gap
    return whole


def _grey(mode: str, level: int) -> int | tuple[int, int, int]:
    return level if mode == "L" else (level, level, level)
