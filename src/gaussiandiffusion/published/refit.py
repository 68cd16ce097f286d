"""Sets of the published grid path as `Splats`: a shifted table is no Gaussian, so the nearest Gaussians are fitted."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.encoding import FitEncoder, default_settings
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.published.drawing import UNITS, draw
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.splats import Output

STEPS = 60
VALUES = 2**22  # of tables on pictures, drawn at once
NARROWEST = 0.35  # pixels; a thinner Gaussian of a table is as wide as the table's own pixels and the shift make it


def refit(
    sets: Float[Tensor, "n k f"], canvas: Canvas, *, kernel_size: int, output: Output = "clamp", steps: int = STEPS
) -> Splats:
    """Fit Gaussians to the pictures that the published renderer makes of sets, beginning where the sets have theirs.

    Args:
        sets: rows as drawn.
        steps: of the fit.

    Returns:
        Sets of the same K, in the same order, drawn with a hard clamp.
    """
    at_once = max(1, VALUES // (sets.shape[1] * canvas.height * canvas.width))
    drawn = (draw(part, canvas, kernel_size=kernel_size, output=output) for part in sets.split(at_once))
    pictures = torch.cat([to_uint8(part) for part in drawn]).numpy()
    settings = default_settings(canvas.channels, num_splats=sets.shape[1], iterations=steps)
    return FitEncoder(settings).refit(pictures, nearest_splats(sets, canvas, kernel_size)).splats


def nearest_splats(sets: Float[Tensor, "n k f"], canvas: Canvas, kernel_size: int) -> Splats:
    """The Gaussians that the tables sample, as wide as the bilinear shift makes them."""
    height, width = canvas.height, canvas.width
    step = 2 * UNITS / (kernel_size - 1)  # between a table's entries, in units of sigma
    corner = sets.new_tensor([(width - kernel_size) // 2, (height - kernel_size) // 2])
    size = sets.new_tensor([width - 1, height - 1])
    centres = corner + (kernel_size - 1) / 2 - sets[..., -2:] * size / 2  # pixels, (n, k, 2)
    fractions = centres.frac().abs()
    blur = fractions * (1 - fractions)  # the variance that weights (1 - f, f) add
    sigma_y, sigma_x = sets[..., 0] / step, sets[..., 1] / step  # a table's rows hold sigma_x
    variances = torch.stack([sigma_x, sigma_y], -1).square()
    sigmas = (variances + blur).sqrt().clamp_min(NARROWEST)
    covariance = sets[..., 2] * (sigma_x * sigma_y)
    limit = 1 - 1e-3
    rhos = (covariance / sigmas.prod(-1)).clamp(-limit, limit)
    offset = (2 * centres + 1 - sets.new_tensor([width, height])) / canvas.longer_side
    return Splats(offset, sigmas / canvas.pixels_per_unit, rhos, sets[..., 4:-2].clamp_min(0), canvas, output="clamp")
