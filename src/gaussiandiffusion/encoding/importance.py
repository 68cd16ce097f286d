"""What a splat is worth to the picture: the squared error that leaving it out would add."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.encoding.parameters import COLUMNS


def leaving_out(
    parameters: Float[ndarray, "*n k f"],
    size: tuple[int, int],
    color_gradients: Float[ndarray, "*n k c"] | float = 0.0,
) -> Float[ndarray, "*n k"]:
    """Change of the sum of squared errors if a splat alone were left out, all others staying as they are.

    With e the splat's Gaussian and r what is wrong with the picture (drawn minus wanted), sum (r - c e)^2 - r^2 =
    c^2 sum e^2 - 2 c sum e r, over pixels and channels. The second sum is the gradient by the colour; the first is
    taken as an integral, pi / (a d), of which what lies beyond the canvas is left out, as if x and y did not correlate.

    Args:
        parameters: of the fit, see `parameters`.
        size: height and width of the canvas, pixels.
        color_gradients: of half the sum of squared errors, by the colours; 0 where the picture is right as it is.
    """
    values = torch.from_numpy(parameters)
    a, b, d, colors = values[..., 2].exp(), values[..., 3], values[..., 4].exp(), values[..., COLUMNS:]
    wide, tall = (b.square() + d.square()).sqrt() / (a * d), 1 / d
    seen = _between(values[..., 0], wide, size[1]) * _between(values[..., 1], tall, size[0])
    gain = torch.as_tensor(color_gradients) * colors
    return (colors.square().sum(-1) * (math.pi / (a * d)) * seen - 2 * gain.sum(-1)).numpy()


def _between(means: Tensor, sigmas: Tensor, length: int) -> Tensor:
    """Part of a squared Gaussian within [-1/2, length - 1/2]; its deviation is sigma / sqrt(2)."""
    return (torch.erf((length - 0.5 - means) / sigmas) + torch.erf((means + 0.5) / sigmas)) / 2
