"""A component's weights on disk: one safetensors file, or several of limited size and an index; names as diffusers'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_bytes, write_json
from gaussiandiffusion.ground.records import is_file, read_record

WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"
INDEX_FILE = f"{WEIGHTS_FILE}.index.json"
SHARD_FILE = "diffusion_pytorch_model-{:05d}-of-{:05d}.safetensors"
_SHARD = re.compile(r"diffusion_pytorch_model-\d{5}-of-\d{5}\.safetensors")

MIB = 1 << 20
HEADER, ENTRY = 256, 128  # bytes at most of a file's header, and of a tensor's entry in it beside its name


@dataclass(frozen=True)
class Index:
    """Which file holds a tensor."""

    weight_map: dict[str, str]


def write_weights(folder: Path, weights: Mapping[str, Tensor], largest: int | None = None) -> None:
    """Write weights in place of those that `folder` has, each file whole or not at all.

    Args:
        largest: bytes of a file; more become several and an index. Default: one file whatever its size.

    Raises:
        InputError: a single tensor is larger.
    """
    parts = [dict(weights)] if largest is None else list(_shards(weights, largest))
    if len(parts) == 1:
        write_bytes(folder / WEIGHTS_FILE, _bytes(parts[0]))
        (folder / INDEX_FILE).unlink(missing_ok=True)
        _remove_shards(folder, keep=())
        return
    names = [SHARD_FILE.format(number, len(parts)) for number in range(1, len(parts) + 1)]
    for name, part in zip(names, parts, strict=True):
        write_bytes(folder / name, _bytes(part))
    places = {tensor: name for name, part in zip(names, parts, strict=True) for tensor in part}
    size = sum(value.nbytes for value in weights.values())
    write_json(folder / INDEX_FILE, {"metadata": {"total_size": size}, "weight_map": places})
    (folder / WEIGHTS_FILE).unlink(missing_ok=True)
    _remove_shards(folder, keep=names)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """What `write_weights` wrote.

    Raises:
        InputError: files are missing, or are not those of the index.
        SafetensorError, OSError: they are damaged.
    """
    if is_file(folder / WEIGHTS_FILE):
        return safetensors.torch.load_file(folder / WEIGHTS_FILE)
    if not is_file(folder / INDEX_FILE):
        raise InputError(f"{folder}: lacks {WEIGHTS_FILE}; copy the model again")
    places = read_record(folder / INDEX_FILE, Index).weight_map
    weights: dict[str, Tensor] = {}
    for name in sorted(set(places.values())):
        if not _SHARD.fullmatch(name):
            raise InputError(f"{folder / INDEX_FILE}: '{name:.80}' is no file of weights")
        if not is_file(folder / name):
            raise InputError(f"{folder}: lacks {name}; copy the model again")
        part = safetensors.torch.load_file(folder / name)
        if part.keys() != {tensor for tensor, place in places.items() if place == name}:
            raise InputError(f"{folder / name}: holds other weights than {INDEX_FILE} says; copy the model again")
        weights |= part
    return weights


def _shards(weights: Mapping[str, Tensor], largest: int) -> Iterator[dict[str, Tensor]]:
    part: dict[str, Tensor] = {}
    size = HEADER
    for name, value in weights.items():
        needed = value.nbytes + len(name.encode()) + ENTRY
        if HEADER + needed > largest:
            raise InputError(
                f"{name} alone takes {(HEADER + needed) / MIB:.3g} MiB, which no file of at most "
                f"{largest / MIB:.3g} MiB holds; take a larger shard size"
            )
        if part and size + needed > largest:
            yield part
            part, size = {}, HEADER
        part[name] = value
        size += needed
    yield part


def _bytes(weights: dict[str, Tensor]) -> bytes:
    return safetensors.torch.save(weights, {"format": "pt"})


def _remove_shards(folder: Path, keep: tuple[str, ...] | list[str]) -> None:
    for path in folder.glob("diffusion_pytorch_model-*.safetensors"):
        if _SHARD.fullmatch(path.name) and path.name not in keep:
            path.unlink()
