"""Damaged files of tensors: safetensors, and checkpoints of PyTorch."""

from __future__ import annotations

import copy
import io
import json
import struct
from random import Random
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from benchmarks.regression.mutator.text import Variant, damaged_json, places

FLOATS = (float("nan"), float("inf"), -float("inf"), 3e38, -3e38, 0.0, 1e-40, 1e20, -1.0)


def damaged_tensor(tensor: Tensor, random: Random) -> tuple[str, Tensor]:
    """Other values, shape or type."""
    value = random.choice(FLOATS)
    if random.random() < 0.5 and tensor.numel():
        out = tensor.clone()
        flat = out.view(-1) if random.random() < 0.5 else out.view(-1)[random.randrange(out.numel()) :][:1]
        if not tensor.is_floating_point():
            value = random.choice((-1, 2**31 - 1, 7, 0))
        return f"values are {value}", _filled(out, flat, value)
    kind = random.choice(
        (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool)
    )
    changed: dict[str, Tensor] = {
        f"is {kind}": tensor.to(kind),
        "is flat": tensor.reshape(-1),
        "has one axis more": tensor[None],
        "is turned": tensor.mT if tensor.ndim > 1 else tensor.reshape(-1, 1),
        "is empty": tensor.reshape(-1)[:0] if not tensor.ndim else tensor[:0],
        "is cut": tensor.reshape(-1)[1:] if tensor.ndim < 2 else tensor[:, 1:],
        "is doubled": tensor.repeat(2, *[1] * (tensor.ndim - 1)) if tensor.ndim else tensor.repeat(2),
        "is one number": torch.tensor(1.0),
    }
    return random.choice(list(changed.items()))


def _filled(out: Tensor, part: Tensor, value: float) -> Tensor:
    part.copy_(torch.tensor(value, dtype=torch.float64).to(part.dtype).expand_as(part))
    return out


def damaged_safetensors(content: bytes, random: Random) -> Variant:
    """The header's JSON, the metadata's JSON, or a tensor damaged."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    body = content[8 + length :]
    metadata = header.get("__metadata__", {})
    done = random.choice(("header", "metadata", "metadata", "tensor", "tensor", "tensor", "length"))
    if done == "length":
        claimed = random.choice((0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1))
        return f"header of {claimed} bytes", struct.pack("<Q", claimed) + content[8:]
    if done == "metadata" and (texts := [key for key, text in metadata.items() if text[:1] == "{"]):
        key = random.choice(texts)
        done, changed = damaged_json(metadata[key].encode(), random)
        metadata[key] = changed.decode()
        return f"{key}: {done}", _with_header(json.dumps(header).encode(), body)
    if done != "tensor":
        done, changed = damaged_json(json.dumps(header).encode(), random)
        return f"header: {done}", _with_header(changed, body)
    tensors = safetensors.torch.load(content)
    name = random.choice(sorted(tensors))
    done = random.choice(("changed", "changed", "changed", "left out", "renamed"))
    if done == "changed":
        done, tensors[name] = damaged_tensor(tensors[name], random)
    else:
        tensor = tensors.pop(name)
        if done == "renamed":
            extra = random.choice(("opacities", "background", "labels", "conditions", "psnr", "x", ""))
            done, tensors[extra] = f"renamed {extra}", tensor
    plain = {key: value.contiguous().clone() for key, value in tensors.items()}
    return f"{name} {done}", safetensors.torch.save(plain, metadata or None)


def _with_header(header: bytes, body: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def damaged_checkpoint(content: bytes, random: Random) -> Variant:
    """What `torch.save` wrote, with other objects in it or in its place."""
    state = torch.load(io.BytesIO(content), weights_only=True)
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    objects = (None, [], {}, "", True, -1, 2**70, 0.5, float("nan"), float("inf"), [1], {"a": 1}, {1: {}}, "x", deep,
               torch.zeros(2), torch.zeros(0), torch.zeros(1).expand(10**13), torch.tensor(1), (1, 2), b"x", ["a", "b"],
               torch.float32)  # fmt: skip
    found = list(places(state))
    if random.random() < 0.15:
        state, done = random.choice(objects), "whole"
    else:
        holder, key = random.choice(found)
        done = f"{key!r}"
        choice = random.random()
        if isinstance(holder[key], Tensor) and choice < 0.5:
            what, holder[key] = damaged_tensor(holder[key], random)
            done += f" {what}"
        elif choice < 0.7:
            holder[key] = copy.copy(random.choice(objects))
            done += f" is {getattr(holder[key], 'shape', holder[key])!s:.40}"
        elif choice < 0.9 or not isinstance(holder, dict):
            del holder[key]
            done += " left out"
        else:
            holder[random.choice(("x", 0, 99, -1))] = holder.pop(key)
            done += " renamed"
    file = io.BytesIO()
    torch.save(state, file)
    return done, file.getvalue()
