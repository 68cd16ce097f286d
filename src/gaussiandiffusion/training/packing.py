"""How the rounded numbers of a training's state are written: without the bits that are 0, and their first bytes short.

Of a float32 the first byte is its sign and the greater part of its exponent, and those are nearly all alike: coding
common ones in fewer bits saves more than half of them. The bytes after it are as good as random, and kept as they are.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.training.rounding import AVERAGE_BITS, MEAN_BITS, SQUARE_BITS

Packed = dict[str, Any]  # shape, first (coded bytes), others (n, 1 or 2)
Change = Callable[[Any], Any]


def packed(state: dict[str, Any]) -> dict[str, Any]:
    """A training's state as it is written."""
    average = state["ema"]
    return state | {
        "optimizer": _each_moment(state, lambda mean: pack(mean, MEAN_BITS), lambda square: pack(square, SQUARE_BITS)),
        "ema": average | {"differences": [pack(value, AVERAGE_BITS) for value in average["differences"]]},
    }


def unpacked(state: dict[str, Any]) -> dict[str, Any]:
    """The state that `packed` wrote; one of before, which was not packed, is what it is.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RuntimeError, zlib.error: it is none.
    """
    found = state | {"optimizer": _each_moment(state, _read, _read)}
    if "differences" in state["ema"]:
        found["ema"] = state["ema"] | {"differences": [_read(value) for value in state["ema"]["differences"]]}
    return found


def pack(numbers: Float[Tensor, "*n"], bits: int) -> Packed:
    """Numbers rounded to their first 16 or 24 bits."""
    octets = numbers.detach().cpu().contiguous().view(-1).view(torch.uint8).view(-1, 4)  # the lowest one lies first
    coder = zlib.compressobj(1, strategy=zlib.Z_HUFFMAN_ONLY)
    first = coder.compress(octets[:, 3].numpy().tobytes()) + coder.flush()
    return {
        "shape": list(numbers.shape),
        "first": torch.frombuffer(bytearray(first), dtype=torch.uint8),
        "others": octets[:, 4 - bits // 8 : 3].contiguous(),
    }


def unpack(value: Packed) -> Float[Tensor, "*n"]:
    """The numbers of `pack`; raises ValueError where they are not as many as they should be."""
    others, count = value["others"], math.prod(value["shape"])
    first = zlib.decompressobj().decompress(value["first"].numpy().tobytes(), len(others) + 1)
    if not len(first) == len(others) == count:
        raise ValueError(f"{len(first)} and {len(others)} bytes for {count} numbers")
    octets = torch.zeros(count, 4, dtype=torch.uint8)
    octets[:, 3] = torch.frombuffer(bytearray(first), dtype=torch.uint8)
    octets[:, 3 - others.shape[1] : 3] = others
    return octets.view(-1).view(torch.float32).view(value["shape"])


def _each_moment(state: dict[str, Any], mean: Change, square: Change) -> dict[str, Any]:
    moments = {
        i: held | {"exp_avg": mean(held["exp_avg"]), "exp_avg_sq": square(held["exp_avg_sq"])}
        for i, held in state["optimizer"]["state"].items()
    }
    return state["optimizer"] | {"state": moments}


def _read(value: Any) -> Any:
    return unpack(value) if isinstance(value, dict) else value
