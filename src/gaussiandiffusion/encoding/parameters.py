"""What the fit moves: unconstrained parameters in pixels, and splats from and to them.

A splat has the columns mx, my, log a, b, log d and C colours, where u = a dx + b dy, v = d dy and its value is
exp(-(u^2 + v^2) / 2), dx and dy counted in pixels from the mean; pixel (0, 0) has its centre at (0, 0).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from gaussiandiffusion.encoding.settings import EncoderSettings
from gaussiandiffusion.encoding.shares import coarseness, pixels_each
from gaussiandiffusion.splats import Canvas, Splats

COLUMNS = 5  # before the colours
MIN_SIGMA = 0.3  # pixels, of 1/a and 1/d
MAX_SIGMA = 12 / 28  # of the longer side
MAX_SHEAR = 3.0  # of |b|
MAX_SLOPE = 100.0  # of |b| / d: beyond it, float32 has too few digits of a rho near 1 to hold the splat
MARGIN = 1.0  # pixels a centre may lie outside the canvas
ANYTHING = 1e30  # as good as infinite, which compiled code takes for granted not to meet


class Schedule(NamedTuple):
    """`EncoderSettings` as the fit takes them, one number a column where they differ.

    Args:
        rates, pulls, low, high: float32 (5 + C,): learning rates, pulls, lowest and highest values.
        tolerance: in [0, 1].
        target: mean squared error of the picture at which an image's fit stops, or a negative number.
        the rest: see `EncoderSettings`.
    """

    rates: ndarray
    pulls: ndarray
    low: ndarray
    high: ndarray
    beta1: float
    beta2: float
    epsilon: float
    lr_end: float
    iterations: int
    cutoff: float
    tolerance: float
    target: float


def schedule(settings: EncoderSettings, canvas: Canvas, target_psnr: float | None = None) -> Schedule:
    """The fit's schedule on a canvas, stopping at `target_psnr` dB if that is given."""
    colors = canvas.channels
    wide, narrow = -math.log(MAX_SIGMA * canvas.longer_side), -math.log(MIN_SIGMA)
    size = settings.num_splats, canvas.height, canvas.width
    across, down = coarseness(*size)
    rates = [
        settings.lr_mean * across, settings.lr_mean * down, settings.lr_scale, settings.lr_shear / down,
        settings.lr_scale,
    ]  # fmt: skip
    low = [-MARGIN, -MARGIN, wide, -MAX_SHEAR, wide] + [-ANYTHING if settings.signed else 0.0] * colors
    high = [canvas.width - 1 + MARGIN, canvas.height - 1 + MARGIN, narrow, MAX_SHEAR, narrow] + [ANYTHING] * colors
    return Schedule(
        rates=np.array(rates + [settings.lr_color] * colors, np.float32) * np.float32(pixels_each(*size)),
        pulls=np.array([settings.pull] * COLUMNS + [0.0] * colors, np.float32),
        low=np.array(low, np.float32),
        high=np.array(high, np.float32),
        beta1=settings.beta1,
        beta2=settings.beta2,
        epsilon=settings.epsilon,
        lr_end=settings.lr_end,
        iterations=settings.iterations,
        cutoff=settings.cutoff,
        tolerance=settings.tolerance / 255,
        target=-1.0 if target_psnr is None else 10 ** (-target_psnr / 10),
    )


def to_splats(parameters: Float[ndarray, "n k f"], canvas: Canvas) -> Splats:
    """Fit parameters (pixels) to splats (canvas units)."""
    values = torch.from_numpy(parameters)
    scale = canvas.pixels_per_unit
    half = torch.tensor([canvas.width - 1, canvas.height - 1]) / 2
    a, b, d = values[..., 2].exp(), values[..., 3], values[..., 4].exp()
    factors = torch.stack([a, b, d], -1) * scale
    return Splats.from_precision_factors((values[..., :2] - half) / scale, factors, values[..., 5:], canvas)


def to_parameters(splats: Splats) -> Float[ndarray, "n k f"]:
    """Inverse of `to_splats`."""
    canvas = splats.canvas
    scale = canvas.pixels_per_unit
    half = torch.tensor([canvas.width - 1, canvas.height - 1]) / 2
    a, b, d = (splats.precision_factors / scale).unbind(-1)
    columns = [
        splats.means * scale + half,
        a.log()[..., None],
        b[..., None],
        d.log()[..., None],
        splats.colors,
    ]
    return torch.cat(columns, -1).float().numpy()


def send_home(parameters: Float[ndarray, "n k f"], template: Float[ndarray, "k f"]) -> None:
    """Put splats without any colour back where the template has them, in place.

    They draw nothing wherever they are, and where the fit happened to leave them says nothing of the image.
    """
    unlit = (parameters[..., 5:] == 0).all(-1)  # (n, k)
    parameters[..., :5] = np.where(unlit[..., None], template[:, :5], parameters[..., :5])
