"""Which splats are meant: by place, colour, size, brightness, by what a point is drawn by, and what lies near others.

Every function gives a mask over the splats of a batch; all but `grow` and `shrink` look at each splat by itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.data.decoding import decode
from gaussiandiffusion.data.listing import content_of
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats, color

ROUNDING = 1e-5  # of distances, with much to spare
TOGETHER = 128  # splats whose distances are taken at once
SHARE = 0.05  # of what is drawn at a point, from which on a splat counts as drawing it


def inside(splats: Splats, x0: float, y0: float, x1: float, y1: float) -> Bool[Tensor, "n k"]:
    """Centres in the box between two opposite corners, in canvas units."""
    x, y = splats.means.unbind(-1)
    return (x >= min(x0, x1)) & (x <= max(x0, x1)) & (y >= min(y0, y1)) & (y <= max(y0, y1))


def ellipse(splats: Splats, x: float, y: float, rx: float, ry: float) -> Bool[Tensor, "n k"]:
    """Centres in an upright ellipse; radii > 0, in canvas units."""
    if not (rx > 0 and ry > 0):
        raise InputError(f"the radii of an ellipse must be above 0, not {rx:g} and {ry:g}")
    offset = (splats.means - splats.means.new_tensor([x, y])) / splats.means.new_tensor([rx, ry])
    return offset.square().sum(-1) <= 1


def polygon(splats: Splats, corners: Sequence[float]) -> Bool[Tensor, "n k"]:
    """Centres in a polygon of any shape, given as x, y, x, y, ...; where it covers itself twice is outside."""
    x, y = splats.means.unbind(-1)
    within = torch.zeros_like(x, dtype=torch.bool)
    points = list(zip(corners[::2], corners[1::2], strict=True))
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        if ay != by:  # a level edge is never crossed by a level ray
            crossed = (ay > y) != (by > y)
            within ^= crossed & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return within


def mask(splats: Splats, file: str | os.PathLike[str]) -> Bool[Tensor, "n k"]:
    """Centres where a picture is white: at least half as bright as white, and not transparent.

    Args:
        file: a picture of the canvas's aspect, of any size.

    Raises:
        InputError: it cannot be read, or is of another aspect.
    """
    path = Path(file)
    try:
        pixels = torch.from_numpy(decode(content_of(path), str(path)).astype(np.float32)) / 255
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(pixels) == 4:
        pixels = pixels[:3] * pixels[3:]
    white = color.brightness(pixels.movedim(0, -1)) >= 0.5
    return mask_pixels(splats, white, str(path))


def mask_pixels(splats: Splats, white: Bool[Tensor, "h w"], what: str = "the mask") -> Bool[Tensor, "n k"]:
    """Centres in the white pixels of a mask that is stretched over the canvas; what lies off the canvas is not.

    Raises:
        InputError: the mask's shape is not the canvas's, to a pixel.
    """
    canvas = splats.canvas
    height, width = white.shape
    if abs(height * canvas.width - width * canvas.height) > max(height, width, canvas.height, canvas.width):
        raise InputError(
            f"{what}: {width}x{height} pixels are not of the shape of the canvas, {canvas.width}x{canvas.height}; "
            "give a picture of that size, or of its multiple"
        )
    x, y = splats.means.unbind(-1)
    columns = ((x * canvas.longer_side / canvas.width + 1) / 2 * width).floor().long()
    rows = ((y * canvas.longer_side / canvas.height + 1) / 2 * height).floor().long()
    on = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return on & white.to(splats.device)[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]


def by_color(splats: Splats, wanted: str, distance: float) -> Bool[Tensor, "n k"]:
    """Colours that look like one, to a distance in CIELAB (`color.to_lab`); grey sets by their lightness."""
    if distance < 0:
        raise InputError(f"the distance of colours must be at least 0, not {distance:g}")
    return color.lab_distance(splats.colors, wanted) <= distance


def by_index(count: int, wanted: Sequence[int | slice], what: str = "splats") -> Bool[Tensor, " k"]:
    """Places in a row, as Python counts them: from 0, and back from the end by negative numbers.

    Raises:
        InputError: there is no such place.
    """
    chosen = torch.zeros(count, dtype=torch.bool)
    for index in wanted:
        if isinstance(index, int) and not -count <= index < count:
            raise InputError(f"there is no number {index} among {count} {what}, which count from 0")
        chosen[index] = True
    return chosen


def by_size(splats: Splats, least: float, most: float = float("inf")) -> Bool[Tensor, "n k"]:
    """The radius of a splat, in canvas units: of the circle as large as its ellipse of one standard deviation."""
    root = ((1 - splats.rhos) * (1 + splats.rhos)).sqrt()
    return _between((splats.sigmas.prod(-1) * root).sqrt(), least, most)


def by_brightness(splats: Splats, least: float, most: float = float("inf")) -> Bool[Tensor, "n k"]:
    """How much light a splat adds at its centre; 1 is white, and more is possible."""
    light = color.brightness(splats.colors)
    return _between(light if splats.opacities is None else light * splats.opacities, least, most)


def drawn(splats: Splats, x: float, y: float, share: float = SHARE) -> Bool[Tensor, "n k"]:
    """What a point of the picture is drawn by: the splats that give at least a share of the colour there.

    Args:
        x, y: the point, in canvas units.
        share: in (0, 1], of the sum of what all give, channels and signs aside.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share of what is drawn must be above 0 and at most 1, not {share:g}")
    given = weights_at(splats, x, y) * splats.colors.abs().amax(-1)
    return (given >= share * given.sum(-1, keepdim=True)) & (given > torch.finfo(given.dtype).tiny)


def weights_at(splats: Splats, x: float, y: float) -> Float[Tensor, "n k"]:
    """By how much every splat's colour counts at a point, under the sets' blending."""
    a, b, d = splats.precision_factors.unbind(-1)
    dx, dy = (splats.means.new_tensor([x, y]) - splats.means).unbind(-1)
    weights = torch.exp(-0.5 * ((a * dx + b * dy).square() + (d * dy).square()))
    if splats.opacities is not None:
        weights = weights * splats.opacities
    if splats.blending == "alpha":  # what is in front lets the rest through
        through = torch.cumprod(1 - weights.clamp(0, 1), -1)
        weights = weights * torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], -1)
    return weights


def grow(splats: Splats, chosen: Bool[Tensor, "n k"], distance: float) -> Bool[Tensor, "n k"]:
    """The chosen, and all whose centre is at most `distance` (canvas units) from that of a chosen one in their set."""
    if distance < 0:
        raise InputError(f"a selection grows or shrinks by at least 0, not by {distance:g}")
    grown = chosen.clone()
    for row in range(len(splats)):
        means = splats.means[row]
        there = means[chosen[row]]
        if len(there) == 0:
            continue
        low, high = there.amin(0) - distance, there.amax(0) + distance
        near = ((means >= low) & (means <= high)).all(-1)  # others need no distances
        waiting = (near & ~chosen[row]).nonzero()[:, 0]
        # Both from left to right: some neighbours can only be near those of the chosen that are at about their x.
        there = there[there[:, 0].argsort()]
        columns = there[:, 0].contiguous()
        for part in waiting[means[waiting, 0].argsort()].split(TOGETHER) if len(waiting) else ():
            points = means[part]
            wide = distance * (1 + ROUNDING) + ROUNDING
            first, last = torch.searchsorted(columns, points[[0, -1], 0] + points.new_tensor([-wide, wide])).tolist()
            window = there[first:last]
            if len(window) == 0:
                continue
            gap = torch.cdist(points, window, compute_mode="donot_use_mm_for_euclid_dist")
            grown[row, part] = gap.amin(-1) <= distance
    return grown


def shrink(splats: Splats, chosen: Bool[Tensor, "n k"], distance: float) -> Bool[Tensor, "n k"]:
    """The chosen without those whose centre is at most `distance` from that of one that is not chosen."""
    return ~grow(splats, ~chosen, distance)


def _between(values: Float[Tensor, "n k"], least: float, most: float) -> Bool[Tensor, "n k"]:
    if least > most:
        raise InputError(f"a range goes from the least to the most, not from {least:g} to {most:g}")
    return (values >= least) & (values <= most)
