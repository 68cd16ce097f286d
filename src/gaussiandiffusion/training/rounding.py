"""Training state in fewer bits: numbers rounded while training goes on, so that what is saved is all there is.

A checkpoint that rounded only what it writes would go on otherwise than the training that wrote it. So the optimiser's
moments and the averages are rounded at every step, and their lowest bits, then all zero, need no place on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

FLOAT_BITS = 32
MEAN_BITS, SQUARE_BITS = 16, 24  # of AdamW's moments, see `Moments`
AVERAGE_BITS = 24  # of the averages' differences to the weights, see `Average`


def flat_like(tensors: Sequence[Tensor]) -> tuple[Float[Tensor, " n"], list[Tensor]]:
    """Zeros for all tensors in one row, and the parts of it in their shapes: one operation then serves them all."""
    flat = torch.zeros(sum(tensor.numel() for tensor in tensors), device=tensors[0].device)
    parts = flat.split([tensor.numel() for tensor in tensors])
    return flat, [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def round_to_(numbers: Float[Tensor, " n"], bits: int) -> None:
    """Round float32 in place to the nearest of those whose other than the first `bits` bits are 0.

    16 bits are bfloat16's; 24 keep a relative error below 1e-5.
    """
    dropped = FLOAT_BITS - bits
    whole = numbers.view(torch.int32)
    whole.add_(1 << (dropped - 1)).bitwise_and_(-(1 << dropped))


def copy_into(parts: Iterable[Tensor], values: Iterable[Tensor]) -> None:
    """Fill tensors, whatever the others' type and device; raises ValueError where one is of another shape."""
    for part, value in zip(parts, values, strict=True):
        if part.shape != value.shape:
            raise ValueError(f"{list(value.shape)} for {list(part.shape)}")
        part.copy_(value)
