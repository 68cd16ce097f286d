"""What a network costs: parameters and floating-point operations, counted and not estimated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


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


def evaluation_inputs(
    network: Any, representation: Any, num_classes: int, batch_size: int
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Arguments for one evaluation of a denoiser: noise at middle times, classes in turn."""
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(batch_size, *representation.latent_shape, generator=generator).to(device)
    times = torch.full((batch_size,), 500.0, device=device)
    labels = (torch.arange(batch_size, device=device) % num_classes) if num_classes else None
    anchors = representation.anchors if network.config.get("num_anchor_features") else None
    return noise, times, labels, None if anchors is None else anchors.to(device)


@torch.no_grad()
def evaluation_flops(network: Any, representation: Any, num_classes: int) -> int:
    """Operations of one evaluation of one sample."""
    inputs = evaluation_inputs(network, representation, num_classes, 1)
    return count_flops(lambda: network(*inputs))


def training_flops(network: Any, representation: Any, num_classes: int) -> int:
    """Operations of one evaluation of one sample and its gradients."""
    inputs = evaluation_inputs(network, representation, num_classes, 1)
    weights = list(network.parameters())
    return count_flops(lambda: torch.autograd.grad(network(*inputs).sum(), weights, allow_unused=True))
