"""Which noise meets which splat: couplings inside a set."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Coupling = Literal["independent", "optimal", "hybrid"]

FRESH = 0.2  # share of the variance that "hybrid" draws anew


def couple(
    clean: Float[Tensor, "n k f"], noise: Float[Tensor, "n k f"], coupling: Coupling, generator: torch.Generator
) -> Float[Tensor, "n k f"]:
    """Noise for sets whose splats have no order.

    "optimal" permutes each set's noise vectors so that the summed squared distance to its splats is least: paths no
    longer cross within a set. "hybrid" then mixes in fresh noise, which keeps the flow near pure noise learnable.

    As a *set* the noise stays as independent and normal as it was, so sampling reproduces it for a network that sees no
    order. A slot's noise does not: with slots or anchors only "independent" is right.

    Args:
        clean, noise: on the CPU.
        generator: of the fresh noise; not drawn from unless "hybrid".

    Source: Klein et al., "Equivariant flow matching", and Song et al., "Equivariant Flow Matching with Hybrid
    Probability Transport", NeurIPS 2023; hybrid: Hui et al., "Not-So-Optimal Transport Flows", ICLR 2025.
    """
    if coupling == "independent":
        return noise
    noise = _nearest(clean, noise)
    if coupling == "optimal":
        return noise
    fresh = torch.randn(noise.shape, generator=generator)
    return math.sqrt(1 - FRESH) * noise + math.sqrt(FRESH) * fresh


def _nearest(clean: Float[Tensor, "n k f"], noise: Float[Tensor, "n k f"]) -> Float[Tensor, "n k f"]:
    from scipy.optimize import linear_sum_assignment  # not needed to sample, so not loaded with the package

    # |x - e|^2 = |x|^2 + |e|^2 - 2 x.e, and no permutation changes the sums of the first two
    gains = (clean @ noise.mT).numpy()
    order = torch.stack([torch.from_numpy(linear_sum_assignment(gain, maximize=True)[1]) for gain in gains])
    return noise.gather(1, order[..., None].expand_as(noise))
