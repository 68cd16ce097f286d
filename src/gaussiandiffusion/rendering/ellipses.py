"""Splats as ellipses: the outline of each, in a colour of its slot, over a picture."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.splats import Splats

WIDTH = 1.2  # pixels of a line
FAINTEST = 0.25  # opacity of a faint splat's line; that of a splat as bright as the picture can be is 1
INVISIBLE = 1 / 512  # of a colour: less cannot change an 8-bit pixel, and has no outline
GOLDEN = (math.sqrt(5) - 1) / 2  # of the circle of hues from slot to slot: neighbours look unlike


def draw_ellipses(
    pictures: UInt8[Tensor, "n c h w"], splats: Splats, *, sigmas: float = 1.0
) -> UInt8[Tensor, "n 3 h w"]:
    """Pictures with the outline of every splat that can be seen.

    The line's colour is one of the splat's slot, so that it can be followed from frame to frame; its opacity tells
    how bright the splat is.

    Args:
        pictures: of the sets, at any size; grey and RGB.
        splats: a set for each.
        sigmas: distance of the outline from the mean.

    Returns:
        RGB pictures.
    """
    drawn = pictures.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).float().contiguous().numpy()  # (n, h, w, 3)
    height, width = drawn.shape[1:3]
    scale = max(height, width) / 2  # pixels a canvas unit
    splats = splats.detach().to("cpu", torch.float64)
    centre = splats.means.new_tensor([width - 1, height - 1]) / 2
    means = (splats.means * scale + centre).numpy()
    reach = (splats.sigmas * scale * sigmas).numpy()
    factors = (splats.precision_factors / (scale * sigmas)).numpy()
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    bright = colors[..., :3].abs().amax(-1).numpy()
    hues = slot_colors(splats.num_splats)
    for i, j in zip(*np.nonzero(bright >= INVISIBLE), strict=True):
        opacity = min(1.0, max(FAINTEST, float(bright[i, j])))
        _outline(drawn[i], means[i, j], reach[i, j], factors[i, j], 255 * hues[j], opacity)
    return torch.from_numpy(np.rint(drawn).astype(np.uint8)).permute(0, 3, 1, 2)


def slot_colors(count: int) -> Float[ndarray, "k 3"]:
    """A bright colour for each slot, RGB in [0, 1]."""
    return np.array([colorsys.hsv_to_rgb(i * GOLDEN % 1, 0.75, 1.0) for i in range(count)])


def _outline(picture: ndarray, mean: ndarray, reach: ndarray, factor: ndarray, color: ndarray, opacity: float) -> None:
    """Blend the line |A (p - mean)| = 1 into a picture (h, w, 3), in place."""
    height, width = picture.shape[:2]
    margin = WIDTH / 2 + 1
    left, top = (max(0, math.floor(m - r - margin)) for m, r in zip(mean, reach, strict=True))
    right, bottom = (math.ceil(m + r + margin) + 1 for m, r in zip(mean, reach, strict=True))
    right, bottom = min(width, right), min(height, bottom)
    if left >= right or top >= bottom:
        return
    a, b, d = factor
    dx = np.arange(left, right) - mean[0]
    dy = (np.arange(top, bottom) - mean[1])[:, None]
    u, v = a * dx + b * dy, d * dy
    radius = np.sqrt(u * u + v * v)
    # Distance to the line in pixels, to first order: (radius - 1) over its gradient's length.
    slope = np.hypot(a * u, b * u + d * v) / np.maximum(radius, 1e-9)
    distance = np.abs(radius - 1) / np.maximum(slope, 1e-9)
    share = opacity * np.clip(WIDTH / 2 + 0.5 - distance, 0, 1)[..., None]
    part = picture[top:bottom, left:right]
    part += share * (color - part)
