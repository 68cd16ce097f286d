"""Structural similarity of pictures, differentiable."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

WINDOW, SIGMA = 11, 1.5
STABILISERS = (0.01**2, 0.03**2)  # for values in [0, 1]


def ssim_map(one: Float[Tensor, "n c h w"], other: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """SSIM around every pixel, under an 11x11 Gaussian window of sigma 1.5; beyond the edges lies black.

    Args:
        one, other: pictures in [0, 1].

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004, eq. 13.
    """
    offsets = torch.arange(WINDOW, dtype=one.dtype, device=one.device) - WINDOW // 2
    window = torch.exp(-offsets.square() / (2 * SIGMA**2))
    window = window / window.sum()
    moments = torch.stack([one, other, one * one, other * other, one * other]).flatten(0, 2)[:, None]
    blurred = F.conv2d(moments, window.view(1, 1, 1, -1), padding=(0, WINDOW // 2))
    blurred = F.conv2d(blurred, window.view(1, 1, -1, 1), padding=(WINDOW // 2, 0))
    mean_1, mean_2, square_1, square_2, product = blurred.view(5, *one.shape)
    variances = square_1 - mean_1.square() + square_2 - mean_2.square()
    covariance = product - mean_1 * mean_2
    c1, c2 = STABILISERS
    alike = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    return alike / ((mean_1.square() + mean_2.square() + c1) * (variances + c2))
