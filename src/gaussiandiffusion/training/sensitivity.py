"""How much a picture feels each number of its latent."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.rendering import accumulate

SENSITIVITY_SETS = 512
STEP = 0.1  # of the latent's deviations, each way
LEAST = 0.1  # of the mean weight: what is hardly seen must still be learned


@torch.no_grad()
def feature_sensitivity(representation: Any, latents: Float[Tensor, "n k f"]) -> Float[Tensor, "k f"]:
    """Weights of mean 1 in proportion to the mean squared change of the picture with each number of the latent.

    By central differences over some training sets. Where the slots of a set mean nothing, all share their mean.

    Args:
        representation: of splats.
        latents: on the CPU.
    """
    k, f = latents.shape[1:]
    changes = torch.empty(k, f)
    for slot in range(k):
        for feature in range(f):
            pictures = []
            for step in (-STEP, STEP):
                moved = latents.clone()
                moved[:, slot, feature] += step
                pictures.append(accumulate(representation.decode(moved), cutoff=3.5, backend="cpu"))
            changes[slot, feature] = (pictures[1] - pictures[0]).square().mean()
    if representation.anchors is None:
        changes = changes.mean(0, keepdim=True).expand(k, f)
    weights = changes / changes.mean()
    weights = weights.clamp_min(LEAST)
    return weights / weights.mean()
