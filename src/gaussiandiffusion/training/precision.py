"""In which precision a network is to work, where nobody said: a trial of its own passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gaussiandiffusion.models import Network
from gaussiandiffusion.models.precision import Choice, faster_precision
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.training.attention import training_attention

TRIED = 8  # samples of a trial on the CPU, where a whole batch would take seconds


def faster_for_training(network: Network, representation: Representation[Any], batch_size: int) -> Choice:
    """Whether a network learns faster in bfloat16 where it is; leaves no gradients, draws no random numbers."""
    device, weights = network.device, list(network.parameters())
    call = _passing(network, representation, min(batch_size, TRIED) if device.type == "cpu" else batch_size)
    with training_attention(device):
        return faster_precision(
            lambda: torch.autograd.grad(call().float().square().mean(), weights, allow_unused=True), device
        )


def faster_for_sampling(network: Network, representation: Representation[Any], chunk_size: int) -> Choice:
    """Whether a network samples faster in bfloat16 where it is, in chunks of so many."""
    with torch.no_grad():
        return faster_precision(_passing(network, representation, chunk_size), network.device)


def _passing(network: Network, representation: Representation[Any], count: int) -> Callable[[], Tensor]:
    """The network on so many latents of ones: what a pass takes does not depend on their values."""
    device, anchors, attributes = network.device, representation.anchors, len(network.condition_spec.sizes)
    latents = torch.ones(count, *representation.latent_shape, device=device)
    times = torch.full((count,), 500.0, device=device)
    asked = torch.zeros(count, attributes, dtype=torch.int64, device=device) if attributes else None
    slots = None if anchors is None else anchors.to(device)
    return lambda: network(latents, times, asked, slots)
