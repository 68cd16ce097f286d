"""What a network costs: parameters and floating-point operations, counted and not estimated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.models import Network
from gaussiandiffusion.representation import Representation


def parameter_count(network: nn.Module) -> int:
    """Number of weights."""
    return sum(weight.numel() for weight in network.parameters())


def count_flops(work: Callable[[], object]) -> int:
    """Operations of the matrix products and convolutions in `work`, 2 per multiply-add.

    Attention is counted as its two products; PyTorch has no count for the fused form on the CPU, so the plain one
    runs in its stead.
    """
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def pass_inputs(
    network: Network, representation: Representation[Any], batch_size: int
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Arguments for one pass of a network: noise at middle times, a condition each."""
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(batch_size, *representation.latent_shape, generator=generator).to(device)
    times = torch.full((batch_size,), 500.0, device=device)
    spec = network.condition_spec
    conditions = Conditions.ask(spec, batch_size).values.to(device) if spec else None
    anchors = representation.anchors if network.num_anchor_features else None
    return noise, times, conditions, None if anchors is None else anchors.to(device)


@torch.no_grad()
def pass_flops(network: Network, representation: Representation[Any]) -> int:
    """Operations of one pass for one sample."""
    inputs = pass_inputs(network, representation, 1)
    return count_flops(lambda: network(*inputs))


def training_flops(network: Network, representation: Representation[Any]) -> int:
    """Operations of one pass for one sample and its gradients."""
    inputs = pass_inputs(network, representation, 1)
    weights = list(network.parameters())
    return count_flops(lambda: torch.autograd.grad(network(*inputs).sum(), weights, allow_unused=True))
