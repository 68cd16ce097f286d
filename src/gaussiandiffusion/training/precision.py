"""In which precision a network is to learn, where nobody said: a trial of its own passes and their gradients."""

from __future__ import annotations

from typing import Any

import torch

from gaussiandiffusion.models import Network
from gaussiandiffusion.models.precision import Choice, faster_precision
from gaussiandiffusion.pipeline.precision import passing
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.training.attention import training_attention

TRIED = 8  # samples of a trial on the CPU, where a whole batch would take seconds


def faster_for_training(network: Network, representation: Representation[Any], batch_size: int) -> Choice:
    """Whether a network learns faster in bfloat16 where it is; leaves no gradients, draws no random numbers."""
    device, weights = network.device, list(network.parameters())
    call = passing(network, representation, min(batch_size, TRIED) if device.type == "cpu" else batch_size)
    with training_attention(device):
        return faster_precision(
            lambda: torch.autograd.grad(call().float().square().mean(), weights, allow_unused=True), device
        )
