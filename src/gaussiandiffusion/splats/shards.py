"""A folder of shards: splat files of one data set, numbered in their names."""

from __future__ import annotations

import re
from pathlib import Path

from gaussiandiffusion.ground.errors import InputError

PATTERN = "shard-*-of-*.safetensors"
NAME = re.compile(r"shard-(\d{5,})-of-(\d{5,})\.safetensors")


def is_sharded(folder: Path) -> bool:
    """Whether a folder holds shards."""
    return folder.is_dir() and next(folder.glob(PATTERN), None) is not None


def shard_files(folder: Path) -> list[Path]:
    """The shards of a folder in order, all of them.

    Raises:
        InputError: one is missing, or those of several runs lie there.
    """
    found = {path.name: path for path in folder.glob(PATTERN)}
    counts = {match[2] for name in found if (match := NAME.fullmatch(name))}
    if len(counts) != 1:
        raise InputError(f"{folder}: holds shards of {len(counts)} runs of `encode`; keep those of one")
    count = int(counts.pop())
    names = [f"shard-{i:05d}-of-{count:05d}.safetensors" for i in range(min(count, len(found) + 1))]
    for name in names:
        if name not in found:
            raise InputError(f"{folder}: lacks {name}; finish it by `encode --resume`")
    return [found[name] for name in names]
