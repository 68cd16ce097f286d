"""What noise looks like in numbers: how latents are distributed, beside the standard normal law they go to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gaussiandiffusion.gallery.film import GROUND, INK, LETTERS, LINE

REACH, BINS = 4.0, 64  # deviations to either side, and columns of a histogram
WIDTH, HEIGHT = 256, 84  # pixels of a histogram, without its line of writing
MARGIN = 6  # pixels at either side of it
HIGHEST = 0.6  # density at the upper edge; the normal law's is 0.4
BAR, CURVE = (86, 140, 200), (255, 170, 60)
MANY = 4096  # tokens or so, of as many samples as that takes, that a histogram is made of


@dataclass(frozen=True, eq=False)
class Distribution:
    """Histograms of the parts of latents, one below the other, each with the density of the standard normal law.

    Attributes:
        at: latents at a time from 0 to 1.
        parts: of their last axis, by name.
    """

    at: Callable[[float], Float[Tensor, "n ..."]]
    parts: dict[str, slice]
    name: str = "latents"

    def sheet(self, time: float, columns: int | None) -> Image.Image:
        latent = self.at(time).cpu().numpy()
        whole = Image.new("RGB", (WIDTH + 2 * MARGIN, len(self.parts) * (LINE + HEIGHT)), (GROUND,) * 3)
        for i, (name, part) in enumerate(self.parts.items()):
            values = latent[..., part].ravel()
            _histogram(
                whole, i * (LINE + HEIGHT), values, f"{name}: {_signed(float(values.mean()))} ± {values.std():.2f}"
            )
        return whole


def densities(values: Float[ndarray, " n"]) -> Float[ndarray, " b"]:
    """Density of values in each of `BINS` columns from -REACH to REACH; what lies beyond counts but is not shown."""
    counts, edges = np.histogram(values, BINS, (-REACH, REACH))
    return counts / (max(1, len(values)) * (edges[1] - edges[0]))


def normal(x: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Density of the standard normal law."""
    density: ndarray = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return density


def _histogram(image: Image.Image, top: int, values: ndarray, text: str) -> None:
    draw = ImageDraw.Draw(image)
    draw.text((image.width // 2, top + LINE // 2), text, (INK,) * 3, ImageFont.load_default(LETTERS), anchor="mm")
    bottom = top + LINE + HEIGHT - 1
    step = WIDTH // BINS
    for i, density in enumerate(np.minimum(densities(values), HIGHEST)):
        if height := round(density / HIGHEST * (HEIGHT - 1)):
            draw.rectangle((MARGIN + i * step, bottom - height + 1, MARGIN + (i + 1) * step - 1, bottom), BAR)
    x = np.linspace(-REACH, REACH, WIDTH)
    heights = normal(x) / HIGHEST * (HEIGHT - 1)
    draw.line([(MARGIN + i, bottom - height) for i, height in enumerate(heights.tolist())], CURVE, 2)


def _signed(value: float) -> str:
    """To two places, without a sign of nothing."""
    return f"{round(value, 2) + 0.0:.2f}"
