"""What a splat is worth to the picture: the squared error that leaving it out would add."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from gaussiandiffusion.encoding.parameters import COLUMNS


def leaving_out(
    parameters: Float[ndarray, "k f"], color_gradients: Float[ndarray, "k c"] | float = 0.0
) -> Float[ndarray, " k"]:
    """Change of the sum of squared errors if a splat alone were left out, all others staying as they are.

    With e the splat's Gaussian and r what is wrong with the picture (drawn minus wanted), sum (r - c e)^2 - r^2 =
    c^2 sum e^2 - 2 c sum e r, over pixels and channels. The first sum is taken over the plane, pi / (a d), so splats
    that overhang the canvas count a little too high; the second is the gradient by the colour.

    Args:
        parameters: of the fit, see `parameters`.
        color_gradients: of half the sum of squared errors, by the colours; 0 where the picture is right as it is.
    """
    colors = parameters[:, COLUMNS:]
    areas = math.pi * np.exp(-parameters[:, 2] - parameters[:, 4])
    return np.square(colors).sum(1) * areas - 2 * (colors * color_gradients).sum(1)
