"""Which attention kernel a training step uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def training_attention(device: torch.device) -> Iterator[None]:
    """Plain matrix products on the CPU, PyTorch's choice (flash where it can) elsewhere.

    On the CPU the gradient of the fused kernel takes several times as long, for sets of some dozen splats in bfloat16
    up to half of a training step; its forward pass, all that sampling needs, is as fast as the products.
    """
    if device.type != "cpu":
        yield
        return
    # A switch of torch.backends.cuda that the CPU heeds too: without it the products are taken in float32.
    before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(before)
