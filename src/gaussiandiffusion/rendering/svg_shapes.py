"""What a splat is in an SVG: where its unit circle goes, how it is filled, and in how many layers."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.render import FOOTPRINT
from gaussiandiffusion.splats import Canvas, Splats

REACH = FOOTPRINT  # sigmas drawn
STOPS = 12
BRIGHT_ENOUGH = 1 / 512  # of a colour, below which a splat cannot change an 8-bit pixel
MOST_LAYERS = 256  # of one splat: brighter ones are no picture's
MOST_SHAPES = 2**20  # in a file, some 200 MB


@dataclass(frozen=True)
class Shapes:
    """The shapes of one set.

    Attributes:
        matrices: (a, b, c, d, e, f) of SVG's `matrix` that maps the unit circle to `REACH` sigmas, in pixels.
        fills: 8-bit red, green and blue of each layer.
        layers: how many times each is drawn; 0: it is too dark to be seen; `MOST_LAYERS` + 1: too bright to be drawn.
    """

    matrices: Float64[Tensor, "k 6"]
    fills: Int64[Tensor, "k 3"]
    layers: Int64[Tensor, " k"]


def shapes_of(splats: Splats, canvas: Canvas) -> Shapes:
    """The shapes of a batch of one set with colours >= 0, drawn at the size of `canvas`."""
    splats = splats.detach().to("cpu", torch.float64)
    scale = canvas.pixels_per_unit
    centre = splats.means.new_tensor([canvas.width, canvas.height]) / 2
    axes = torch.linalg.cholesky(splats.covariances[0]) * scale * REACH  # (k, 2, 2): unit circle -> ellipse
    matrices = torch.cat([axes.transpose(1, 2).flatten(1), splats.means[0] * scale + centre], 1)
    colors = light_of(splats)
    brightest = colors.amax(1)
    layers = brightest.clamp(1, MOST_LAYERS + 1).ceil()
    fills = levels(colors / layers[:, None])
    return Shapes(matrices, fills, torch.where(brightest < BRIGHT_ENOUGH, 0, layers).long())


def check_amounts(splats: Splats, shapes: Shapes, where: str | os.PathLike[str]) -> None:
    """Raise InputError, with the name of the file, for a splat beyond `MOST_LAYERS` or shapes beyond `MOST_SHAPES`."""
    if bool((shapes.layers > MOST_LAYERS).any()):
        brightest, at = (float(each) for each in light_of(splats).amax(1).max(0))
        raise InputError(f"{where}: the colour of splat {at:.0f} is {brightest:.6g}, and an SVG draws at "
                         f"most {MOST_LAYERS} layers of 1 for it; darken it, or write PNG")  # fmt: skip
    if (count := int(shapes.layers.clamp_min(1).sum())) > MOST_SHAPES:
        raise InputError(f"{where}: the set needs {count} shapes, and no viewer opens an SVG of more than "
                         f"{MOST_SHAPES}; take fewer or darker splats, or write PNG")  # fmt: skip


def light_of(splats: Splats) -> Float64[Tensor, "k c"]:
    """What each splat of a batch of one adds at its centre: its colour times its opacity."""
    colors = splats.colors[0].double()
    return colors if splats.opacities is None else colors * splats.opacities[0, :, None].double()


def levels(colors: Float64[Tensor, "k c"]) -> Int64[Tensor, "k 3"]:
    """8-bit red, green and blue of colours; grey ones three times the same."""
    return (255 * colors.clamp(0, 1)).round().long().expand(-1, 3)


def gradient_stops() -> list[tuple[float, float]]:
    """(offset, opacity) of the gradient: the Gaussian at equal distances, and nothing at the rim."""
    values = [math.exp(-0.5 * (REACH * i / STOPS) ** 2) for i in range(STOPS)]
    return [(i / STOPS, value) for i, value in enumerate([*values, 0.0])]
