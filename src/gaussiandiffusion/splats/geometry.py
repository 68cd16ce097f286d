"""Affine maps of splats: where their centres go, and what becomes of their ellipses."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError


def finite(*numbers: float) -> list[float]:
    """The same; raises InputError where one is NaN or infinite."""
    for number in numbers:
        if not math.isfinite(number):
            raise InputError(f"an edit's numbers must be finite, not {number}")
    return list(numbers)


def centroid(means: Float[Tensor, "n k 2"], where: Bool[Tensor, "n k"] | None) -> Float[Tensor, "n 1 2"]:
    """Mean of the chosen centres of each set, None being all; the origin where none is chosen."""
    # In double, so that it is the same on any number of threads; Apple's devices have none.
    exact = means if means.device.type == "mps" else means.double()
    if where is None:
        return exact.mean(1, keepdim=True).to(means)
    weight = where[..., None].to(exact)
    return ((exact * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp_min(1)).to(means)


def mapped(
    means: Float[Tensor, "n k 2"],
    sigmas: Float[Tensor, "n k 2"],
    rhos: Float[Tensor, "n k"],
    matrix: Float[Tensor, "2 2"],
    centre: Float[Tensor, "*#n 2"],
) -> tuple[Float[Tensor, "n k 2"], Float[Tensor, "n k 2"], Float[Tensor, "n k"]]:
    """Means, sigmas and rhos after p -> matrix (p - centre) + centre."""
    (a, b), (c, d) = matrix
    x, y = (means - centre).unbind(-1)
    moved = torch.stack([a * x + b * y, c * x + d * y], -1) + centre
    # The covariance M S M^T by its three numbers: tiny matrices multiplied in batches are slow.
    xx, yy = sigmas.square().unbind(-1)
    xy = rhos * sigmas.prod(-1)
    wide = (a.square() * xx + 2 * a * b * xy + b.square() * yy).sqrt()
    high = (c.square() * xx + 2 * c * d * xy + d.square() * yy).sqrt()
    across = a * c * xx + (a * d + b * c) * xy + b * d * yy
    limit = 1 - torch.finfo(sigmas.dtype).eps
    return moved, torch.stack([wide, high], -1), (across / (wide * high)).clamp(-limit, limit)
