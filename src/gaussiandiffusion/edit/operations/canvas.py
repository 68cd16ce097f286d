"""The picture as a whole: cropped, on another canvas, turned by right angles, laid out as tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Length, Operation, check_count, check_range, pixels_of
from gaussiandiffusion.edit.operations.counts import join, keep
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats

LARGEST_SIDE = 32_768  # pixels
REACH = 6.0  # sigmas at which a splat has ended: 1.5e-8 of its colour
Anchor = Literal[
    "center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right"
]  # fmt: skip


@dataclass(frozen=True)
class Crop(Operation):
    """Keep a box of the picture: the canvas becomes as large, and splats that do not reach into it go.

    Attributes:
        x0, y0, x1, y1: two opposite corners, in canvas units or in pixels from the upper left ("4px"); the edges of
            pixels nearest to them are taken.
    """

    name: ClassVar[str] = "crop"
    whole: ClassVar[bool] = True
    x0: Length
    y0: Length
    x1: Length
    y1: Length

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        canvas = splats.canvas
        left, right = sorted(self._edge(key, canvas, canvas.width) for key in ("x0", "x1"))
        top, bottom = sorted(self._edge(key, canvas, canvas.height) for key in ("y0", "y1"))
        if left == right or top == bottom:
            raise InputError("crop: the box holds no pixel; give two corners that are further apart")
        if left < 0 or top < 0 or right > canvas.width or bottom > canvas.height:
            raise InputError(f"crop: the box goes from {left}, {top} to {right}, {bottom} pixels, beyond the canvas of "
                             f"{canvas.width}x{canvas.height}; `canvas` makes that larger")  # fmt: skip
        cut = shifted(splats, Canvas(bottom - top, right - left, canvas.channels), -left, -top)
        half = cut.means.new_tensor([cut.canvas.width, cut.canvas.height]) / cut.canvas.longer_side
        reaches = ((cut.means.abs() - REACH * cut.sigmas) <= half).all(-1)
        try:
            return keep(cut, reaches, where)
        except InputError as error:
            raise InputError(f"crop: {error}") from error

    def _edge(self, key: Literal["x0", "y0", "x1", "y1"], canvas: Canvas, side: int) -> int:
        """The edge between pixels that is nearest, counted from the left or the top."""
        number, pixels = pixels_of(self.name, key, getattr(self, key))
        edge = number if pixels else (number * canvas.longer_side + side) / 2
        check_range(self.name, -LARGEST_SIDE, LARGEST_SIDE, **{f"{key} in pixels": edge})
        return round(edge)


@dataclass(frozen=True)
class Resize(Operation):
    """Another canvas.

    Attributes:
        width, height: in pixels; left out: as it is.
        content: "keep" leaves the picture's pixels as large as they are, "fit" scales the picture to fit the canvas,
            "stretch" to fill it.
        anchor: where a picture that is kept lies in the canvas; in the middle to a whole pixel.
    """

    name: ClassVar[str] = "canvas"
    whole: ClassVar[bool] = True
    width: int | None = None
    height: int | None = None
    content: Literal["keep", "fit", "stretch"] = "keep"
    anchor: Anchor = "center"

    def __post_init__(self) -> None:
        sides = {key: side for key, side in (("width", self.width), ("height", self.height)) if side is not None}
        if not sides:
            raise InputError("canvas: say how large: width=64,height=48, in pixels")
        check_range(self.name, 1, LARGEST_SIDE, **sides)

    def idle(self) -> dict[str, str]:
        return {} if self.content == "keep" else {"anchor": "it is of content=keep"}

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        old = splats.canvas
        new = Canvas(self.height or old.height, self.width or old.width, old.channels)
        if self.content == "keep":
            left, top = new.width - old.width, new.height - old.height
            left = 0 if "left" in self.anchor else left if "right" in self.anchor else int(left / 2)
            top = 0 if "top" in self.anchor else top if "bottom" in self.anchor else int(top / 2)
            return Edited(shifted(splats, new, left, top), where)
        factors = (new.width / old.width, new.height / old.height)
        if self.content == "fit":
            factors = (min(factors), min(factors))
        to_units = old.longer_side / new.longer_side
        scale = splats.means.new_tensor([factor * to_units for factor in factors])
        return Edited(replace(splats, means=splats.means * scale, sigmas=splats.sigmas * scale, canvas=new), where)


@dataclass(frozen=True)
class Turn(Operation):
    """Turn the picture clockwise by right angles, the canvas with it."""

    name: ClassVar[str] = "turn"
    whole: ClassVar[bool] = True
    quarters: int = 1

    def __post_init__(self) -> None:
        check_range(self.name, -1e6, 1e6, quarters=self.quarters)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        x, y = splats.means.unbind(-1)
        means = torch.stack([(x, y), (-y, x), (-x, -y), (y, -x)][self.quarters % 4], -1)
        if self.quarters % 2 == 0:
            return Edited(replace(splats, means=means), where)
        canvas = Canvas(splats.canvas.width, splats.canvas.height, splats.canvas.channels)
        return Edited(
            replace(splats, means=means, sigmas=splats.sigmas.flip(-1), rhos=-splats.rhos, canvas=canvas), where
        )


@dataclass(frozen=True)
class Tile(Operation):
    """Repeat the picture side by side, `columns` times `rows`; the canvas grows with it."""

    name: ClassVar[str] = "tile"
    whole: ClassVar[bool] = True
    columns: int = 2
    rows: int = 2

    def __post_init__(self) -> None:
        check_range(self.name, 1, LARGEST_SIDE, columns=self.columns, rows=self.rows)

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        old, count = splats.canvas, self.columns * self.rows
        new = Canvas(old.height * self.rows, old.width * self.columns, old.channels)
        check_count(self.name, len(splats) * splats.num_splats * count)
        places = [(column, row) for row in range(self.rows) for column in range(self.columns)]
        tiles = [shifted(splats, new, column * old.width, row * old.height) for column, row in places]
        return Edited(join(tiles), None if where is None else where.repeat(1, count))


def shifted(splats: Splats, canvas: Canvas, left: int, top: int) -> Splats:
    """The sets on another canvas, their pixels as large as they were.

    Args:
        left, top: pixels by which the old canvas's upper left corner lies right of, and below, the new one's.
    """
    old = splats.canvas
    corner = [(2 * left + old.width - canvas.width), (2 * top + old.height - canvas.height)]
    offset = splats.means.new_tensor(corner) / canvas.longer_side
    factor = old.longer_side / canvas.longer_side
    return replace(splats, means=splats.means * factor + offset, sigmas=splats.sigmas * factor, canvas=canvas)
