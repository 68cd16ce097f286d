"""In how many bits a network samples fastest where it is: a trial of its own passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaussiandiffusion.models import Network
from gaussiandiffusion.models.precision import Choice, faster_precision
from gaussiandiffusion.representation import Representation


def faster_for_sampling(network: Network, representation: Representation[Any], count: int) -> Choice:
    """Whether a network samples faster in bfloat16, in chunks of `count`; draws no random numbers."""
    with torch.no_grad():
        return faster_precision(passing(network, representation, count), network.device)


def passing(network: Network, representation: Representation[Any], count: int) -> Callable[[], Tensor]:
    """The network on so many latents of ones: what a pass takes does not depend on their values."""
    device, anchors, attributes = network.device, representation.anchors, len(network.condition_spec.sizes)
    latents = torch.ones(count, *representation.latent_shape, device=device)
    times = torch.full((count,), 500.0, device=device)
    asked = torch.zeros(count, attributes, dtype=torch.int64, device=device) if attributes else None
    slots = None if anchors is None else anchors.to(device)
    return lambda: network(latents, times, asked, slots)
