"""Training state in fewer bits: numbers rounded while training goes on, so that what is saved is all there is.

A checkpoint that rounded only what it writes would go on otherwise than the training that wrote it. So the optimiser's
moments and the averages are rounded at every step, and their lowest bits, then all zero, need no place on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from jaxtyping import BFloat16, Float, UInt8
from torch import Tensor

FLOAT_BITS = 32

Change = Callable[[Tensor], Tensor]


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


def to_16_bits(numbers: Float[Tensor, "*n"]) -> BFloat16[Tensor, "*n"]:
    """Numbers that were rounded to 16 bits as what they are."""
    return numbers.detach().cpu().to(torch.bfloat16)


def to_24_bits(numbers: Float[Tensor, "*n"]) -> UInt8[Tensor, "*n 3"]:
    """The first three bytes of numbers that were rounded to them."""
    octets = numbers.detach().cpu().contiguous().view(-1).view(torch.uint8).view(*numbers.shape, 4)
    return octets[..., 1:].contiguous()  # the lowest one lies first


def from_24_bits(octets: UInt8[Tensor, "*n 3"]) -> Float[Tensor, "*n"]:
    """The numbers of `to_24_bits`."""
    whole = torch.zeros(*octets.shape[:-1], 4, dtype=torch.uint8)
    whole[..., 1:] = octets
    return whole.view(-1).view(torch.float32).view(octets.shape[:-1])


def packed(state: dict[str, Any]) -> dict[str, Any]:
    """A training's state as it is written, without the bits that are 0."""
    return state | {
        "optimizer": state["optimizer"] | {"state": _each_moment(state, to_16_bits, to_24_bits)},
        "ema": state["ema"] | {"differences": [to_24_bits(value) for value in state["ema"]["differences"]]},
    }


def unpacked(state: dict[str, Any]) -> dict[str, Any]:
    """What `packed` made a state of; one that was never packed is what it is."""
    found = state | {"optimizer": state["optimizer"] | {"state": _each_moment(state, _read, _read)}}
    if "differences" in state["ema"]:
        found["ema"] = state["ema"] | {"differences": [_read(value) for value in state["ema"]["differences"]]}
    return found


def _each_moment(state: dict[str, Any], mean: Change, square: Change) -> dict[int, Any]:
    return {
        i: held | {"exp_avg": mean(held["exp_avg"]), "exp_avg_sq": square(held["exp_avg_sq"])}
        for i, held in state["optimizer"]["state"].items()
    }


def _read(value: Tensor) -> Tensor:
    return from_24_bits(value) if value.dtype == torch.uint8 else value


def copy_into(parts: Iterable[Tensor], values: Iterable[Tensor]) -> None:
    """Fill tensors, whatever the others' type and device; raises ValueError where one is of another shape."""
    for part, value in zip(parts, values, strict=True):
        if part.shape != value.shape:
            raise ValueError(f"{list(value.shape)} for {list(part.shape)}")
        part.copy_(value)
