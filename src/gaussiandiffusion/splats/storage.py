"""Splat files: safetensors with one sorted JSON header, so that equal sets give equal bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from jaxtyping import Float, Int64
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gaussiandiffusion.errors import InputError
from gaussiandiffusion.files import atomic_path
from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.splats import Splats

FORMAT_VERSION = 1
HEADER_KEY = "gaussiandiffusion"  # one key only: safetensors writes several in random order


@dataclass(frozen=True)
class SplatFile:
    """What a splat file holds: the sets, what is known of each, and how they were made."""

    splats: Splats
    labels: Int64[Tensor, " n"] | None = None
    psnr: Float[Tensor, " n"] | None = None
    header: Mapping[str, Any] = field(default_factory=dict)


def save(
    splats: Splats,
    path: str | os.PathLike[str],
    *,
    labels: Int64[Tensor, " n"] | None = None,
    psnr: Float[Tensor, " n"] | None = None,
    signed: bool = False,
    encoder: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
) -> None:
    """Write sets to a safetensors file, whole or not at all.

    Args:
        splats: the sets; stored as float32 on the CPU.
        path: the file to write.
        labels, psnr: per-set class and reconstruction PSNR in dB.
        signed: whether colours may be negative.
        encoder, source: how and from what the sets were made; JSON values, no times or speeds.

    Raises:
        InputError: non-finite values, labels or PSNR that are not one a set, or the file cannot be written.
    """
    splats.validate(str(path))
    _check_one_each(path, len(splats), labels=labels, psnr=psnr)
    tensors = {name: value.detach().float().cpu().contiguous() for name, value in splats.tensors().items()}
    if labels is not None:
        tensors["labels"] = labels.long().cpu().contiguous()
    if psnr is not None:
        tensors["psnr"] = psnr.float().cpu().contiguous()
    canvas = splats.canvas
    header = {
        "format_version": FORMAT_VERSION,
        "canvas": [canvas.height, canvas.width, canvas.channels],
        "blending": splats.blending,
        "output": splats.output,
        "signed": signed,
        "encoder": dict(encoder or {}),
        "source": dict(source or {}),
    }
    with atomic_path(path) as temporary:
        content = safetensors.torch.save(tensors, {HEADER_KEY: json.dumps(header, sort_keys=True)})
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str]) -> SplatFile:
    """Read a splat file, checking shapes and values.

    Raises:
        InputError: missing, truncated or foreign file, another format version, NaN or out-of-range values.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such splat file")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: is not a readable safetensors file ({error}); write it again") from error
    header = _header(path, metadata)
    required = {"means", "sigmas", "rhos", "colors"}
    if missing := sorted(required - tensors.keys()):
        raise InputError(f"{path}: is not a splat file, it lacks the tensors {', '.join(missing)}")
    labels, psnr = tensors.pop("labels", None), tensors.pop("psnr", None)
    known = required | {"opacities", "background"}
    parameters = {name: value.to(torch.float32) for name, value in tensors.items() if name in known}
    try:
        splats = Splats(
            **parameters,
            canvas=Canvas(*header["canvas"]),
            blending=header["blending"],
            output=header["output"],
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    _check_one_each(path, len(splats), labels=labels, psnr=psnr)
    if labels is not None and labels.dtype != torch.int64:
        raise InputError(f"{path}: labels must be int64, not {labels.dtype}")
    return SplatFile(splats.validate(str(path)), labels, psnr, header)


def load_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a splat file says of itself, without reading its sets.

    Raises:
        InputError: missing, truncated or foreign file, or another format version.
    """
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            return _header(path, file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: is not a readable safetensors file ({error}); write it again") from error


def _check_one_each(path: str | os.PathLike[str], count: int, **values: Tensor | None) -> None:
    for name, value in values.items():
        if value is not None and value.shape != (count,):
            raise InputError(f"{path}: {name} hold {tuple(value.shape)} values for {count} sets")


def _header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        header = json.loads(metadata[HEADER_KEY])
    except (KeyError, ValueError):
        raise InputError(
            f"{path}: is not a splat file of this package (no '{HEADER_KEY}' header); "
            "published formats are read by `convert`"
        ) from None
    version = header.get("format_version") if isinstance(header, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(f"{path}: format version {version} is not supported; this package reads {FORMAT_VERSION}")
    canvas = header.get("canvas")
    if not (isinstance(canvas, list) and len(canvas) == 3 and all(type(side) is int for side in canvas)):
        raise InputError(f"{path}: the header's canvas must be [height, width, channels], not {canvas}")
    if missing := sorted({"blending", "output"} - header.keys()):
        raise InputError(f"{path}: the header lacks {', '.join(missing)}")
    return header
