"""Shards of a data set on disk: their names and lengths, and which of an earlier run's may stay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.shards import PATTERN

SHARD_IMAGES = 4096  # at most
SHARD_BYTES = 64 << 20  # of pixels and parameters together, all as float32, as a fit has them
REPORT = "encode.json"


def shard_length(canvas: tuple[int, int, int], num_splats: int) -> int:
    """Images in a shard, from what decides their size alone, so that the same run always cuts alike.

    Args:
        canvas: (H, W, C).
        num_splats: K; a splat has 5 + C parameters.
    """
    each = 4 * (math.prod(canvas) + num_splats * (5 + canvas[2]))
    return max(1, min(SHARD_IMAGES, SHARD_BYTES // each))


def shard_paths(folder: Path, count: int) -> list[Path]:
    """The shards' files, in order."""
    return [folder / f"shard-{i:05d}-of-{count:05d}.safetensors" for i in range(count)]


def refuse_others(folder: Path, paths: list[Path], encoder: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    """Refuse to mix with shards of another run; damaged ones pass, they are written again.

    Args:
        folder: where the shards are to lie.
        paths: the shards of this run.
        encoder: what their headers say of the encoder.
        source: and of the images, as far as it is the same for all.

    Raises:
        InputError: a shard of other settings, of another source or of another number of images is there.
    """
    for path in sorted(folder.glob(PATTERN)):
        if path not in paths:
            raise _other(path)
        try:
            header = storage.load_header(path)
        except InputError:
            continue
        if header.encoder != encoder or any(header.source.get(key) != value for key, value in source.items()):
            raise _other(path)


def kept_psnr(path: Path, sha256: str, count: int) -> np.ndarray | None:
    """The PSNR (dB), float32 [n], of a shard of an earlier run; None if it is missing or damaged.

    Args:
        path: a shard that `refuse_others` let pass.
        count: n, of images that belong there.
        sha256: of the images that belong there.

    Raises:
        InputError: it was made from other images, or holds no PSNR.
    """
    if not path.exists():
        return None
    try:
        file = storage.load(path)
    except InputError:
        return None
    if file.header.source.get("sha256") != sha256:
        raise _other(path)
    if len(file.splats) != count:
        return None
    if file.psnr is None:
        raise InputError(f"{path}: holds no PSNR; leave --resume out to write it again")
    return file.psnr.numpy()


def _other(path: Path) -> InputError:
    return InputError(
        f"{path}: was made from other images or settings; give another --out, or leave --resume out to replace it"
    )


def clear(folder: Path) -> None:
    """Remove the shards and the report of an earlier run, and nothing else."""
    for path in [*folder.glob(PATTERN), folder / REPORT]:
        path.unlink(missing_ok=True)
