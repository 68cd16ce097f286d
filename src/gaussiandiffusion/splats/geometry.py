"""Affine maps of splats: where their centres go, and what becomes of their ellipses."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


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
    covariances: Float[Tensor, "n k 2 2"],
    matrix: Float[Tensor, "2 2"],
    offset: Float[Tensor, " 2"] | None,
    centre: Float[Tensor, "*#n 2"],
) -> tuple[Float[Tensor, "n k 2"], Float[Tensor, "n k 2"], Float[Tensor, "n k"]]:
    """Means, sigmas and rhos after p -> matrix (p - centre) + centre + offset."""
    moved = (means - centre) @ matrix.T + centre
    if offset is not None:
        moved = moved + offset
    turned = matrix @ covariances @ matrix.T  # (n, k, 2, 2)
    sigmas = turned.diagonal(dim1=-2, dim2=-1).sqrt()
    limit = 1 - torch.finfo(sigmas.dtype).eps
    rhos = (turned[..., 0, 1] / sigmas.prod(-1)).clamp(-limit, limit)
    return moved, sigmas, rhos
