"""Splat files: safetensors with one sorted JSON header, so that equal sets give equal bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from jaxtyping import Float, Int64
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.ground.records import is_file, parse_json, to_record
from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.edits import Edit
from gaussiandiffusion.splats.splats import Blending, Output, Splats

FORMAT_VERSION = 1
HEADER_KEY = "gaussiandiffusion"  # one key only: safetensors writes several in random order


@dataclass(frozen=True)
class Header:
    """What a splat file says of itself.

    Attributes:
        format_version: of the layout.
        canvas: (height, width, channels).
        blending, output: how the sets are drawn, see `Splats`.
        signed: whether colours may be negative.
        encoder, source: how and from what the sets were made.
        conditions: attributes and the names of their values, where these are known, in the order of the indices.
        edits: what was done to the sets since, first to last; `source` then also names the file they were in before.
    """

    format_version: int
    canvas: tuple[int, int, int]
    blending: Blending
    output: Output
    signed: bool = False
    encoder: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    conditions: list[tuple[str, list[str]]] | None = None
    edits: list[Edit] | None = None

    @classmethod
    def of(
        cls,
        splats: Splats,
        *,
        signed: bool,
        encoder: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
        conditions: list[tuple[str, list[str]]] | None = None,
        edits: list[Edit] | None = None,
    ) -> Header:
        """That of sets as they are."""
        canvas = splats.canvas
        return cls(
            FORMAT_VERSION,
            (canvas.height, canvas.width, canvas.channels),
            splats.blending,
            splats.output,
            signed,
            dict(encoder or {}),
            dict(source or {}),
            conditions,
            edits,
        )

    def to_json(self) -> str:
        values = asdict(self)
        for name in ("conditions", "edits"):  # a file without them keeps the bytes it always had
            if values[name] is None:
                del values[name]
        return json.dumps(values, sort_keys=True)


@dataclass(frozen=True)
class SplatFile:
    """What a splat file holds: the sets, what is known of each, and how they were made."""

    splats: Splats
    header: Header
    labels: Int64[Tensor, " n"] | None = None
    psnr: Float[Tensor, " n"] | None = None
    conditions: Conditions | None = None

    def __getitem__(self, part: slice) -> SplatFile:
        """Some of the sets, with what is known of each."""
        conditions = self.conditions
        return replace(
            self,
            splats=self.splats[part],
            labels=None if self.labels is None else self.labels[part],
            psnr=None if self.psnr is None else self.psnr[part],
            conditions=None if conditions is None else Conditions(conditions.spec, conditions.values[part]),
        )


def save(
    splats: Splats,
    path: str | os.PathLike[str],
    *,
    labels: Int64[Tensor, " n"] | None = None,
    conditions: Conditions | None = None,
    psnr: Float[Tensor, " n"] | None = None,
    signed: bool = False,
    encoder: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    edits: list[Edit] | None = None,
) -> None:
    """Write sets to a safetensors file, whole or not at all.

    Args:
        splats: the sets; stored as float32 on the CPU.
        path: the file to write.
        labels, psnr: per-set class and reconstruction PSNR in dB.
        conditions: instead of labels: those of each set, with their names.
        signed: whether colours may be negative.
        encoder, source: how and from what the sets were made; JSON values, no times or speeds.
        edits: what was done to them since.

    Raises:
        InputError: non-finite values, labels or PSNR that are not one a set, or the file cannot be written.
    """
    splats.validate(str(path))
    if conditions is not None and conditions.labels is not None:
        labels = conditions.labels
    named = None if conditions is None or not conditions.spec else list(conditions.spec.to_dict().items())
    check_one_each(path, len(splats), labels=labels, psnr=psnr)
    tensors = {name: value.detach().float().cpu().contiguous() for name, value in splats.tensors().items()}
    if labels is not None:
        tensors["labels"] = labels.long().cpu().contiguous()
    elif conditions is not None and conditions.spec:
        tensors["conditions"] = conditions.values.cpu().contiguous()
    if psnr is not None:
        tensors["psnr"] = psnr.float().cpu().contiguous()
    header = Header.of(splats, signed=signed, encoder=encoder, source=source, conditions=named, edits=edits)
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, {HEADER_KEY: header.to_json()}))


def load(path: str | os.PathLike[str]) -> SplatFile:
    """Read a splat file, checking shapes and values.

    Raises:
        InputError: missing, truncated or foreign file, another format version, NaN or out-of-range values.
    """
    path = Path(path)
    if not is_file(path):
        raise InputError(f"{path}: no such splat file")
    check_name(path)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError, RuntimeError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: is not a readable safetensors file ({error}); write it again") from error
    header = _header(path, metadata)
    required = {"means", "sigmas", "rhos", "colors"}
    if missing := sorted(required - tensors.keys()):
        raise InputError(f"{path}: is not a splat file, it lacks the tensors {', '.join(missing)}")
    labels, psnr, values = (tensors.pop(name, None) for name in ("labels", "psnr", "conditions"))
    known = required | {"opacities", "background"}
    parameters = {name: value.to(torch.float32) for name, value in tensors.items() if name in known}
    try:
        splats = Splats(**parameters, canvas=Canvas(*header.canvas), blending=header.blending, output=header.output)
        splats.validate(str(path))
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    check_one_each(path, len(splats), labels=labels, psnr=psnr)
    psnr = None if psnr is None else psnr.float()
    for name, tensor in (("labels", labels), ("conditions", values)):
        if tensor is not None and tensor.dtype != torch.int64:
            raise InputError(f"{path}: {name} must be int64, not {tensor.dtype}")
    return SplatFile(splats, header, labels, psnr, conditions_of(path, header, labels, values, len(splats)))


def conditions_of(
    path: Path, header: Header, labels: Tensor | None, values: Tensor | None, count: int
) -> Conditions | None:
    """Conditions of the sets of a file, from their labels or the indices of several attributes.

    Raises:
        InputError: the header names attributes, but there is no index of each for every set, or one that is no value.
    """
    if header.conditions is None:
        if labels is None or (labels < 0).any():
            return None
        return Conditions.of(ConditionColumns.of_labels(labels.numpy()))
    values = labels[:, None] if values is None and labels is not None else values
    try:
        spec = ConditionSpec(dict(header.conditions))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if values is None or values.shape != (count, len(spec.sizes)):
        raise InputError(f"{path}: names {', '.join(spec.attributes)}, but holds no index of each for {count} sets")
    if bool(((values < 0) | (values > values.new_tensor(spec.sizes))).any()):
        raise InputError(f"{path}: an index of its conditions is none of their values; write the file again")
    return Conditions(spec, values)


def load_header(path: str | os.PathLike[str]) -> Header:
    """What a splat file says of itself, without reading its sets.

    Raises:
        InputError: missing, truncated or foreign file, or another format version.
    """
    path = Path(path)
    check_name(path)
    try:
        with safe_open(path, "pt") as file:
            return _header(path, file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not a readable safetensors file ({error}); write it again") from error


def check_one_each(path: str | os.PathLike[str], count: int, **values: Tensor | None) -> None:
    """Raise InputError unless every one of `values` that is given holds one number a set, and a PSNR a finite one."""
    for name, value in values.items():
        if value is not None and value.shape != (count,):
            raise InputError(f"{path}: {name} hold {tuple(value.shape)} values for {count} sets")
        if name == "psnr" and value is not None and not (value.is_floating_point() and bool(value.isfinite().all())):
            raise InputError(f"{path}: psnr must be finite numbers of decibels")


def check_name(path: Path) -> None:
    """Refuse a name that safetensors cannot open; raises InputError."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"{path}: its name is no text (UTF-8); give the file another") from None


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do, whatever it is called: the length of a header, and that in braces."""
    with open(path, "rb") as file:
        return file.read(9)[8:] == b"{"


def _header(path: Path, metadata: Mapping[str, str]) -> Header:
    if HEADER_KEY not in metadata:
        raise InputError(
            f"{path}: is not a splat file of this package (no '{HEADER_KEY}' header); "
            "published formats are read by `convert`"
        )
    values = parse_json(metadata[HEADER_KEY], f"{path}: the header")
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(f"{path}: format version {version} is not supported; this package reads {FORMAT_VERSION}")
    return to_record(values, Header, f"{path}: the header")
