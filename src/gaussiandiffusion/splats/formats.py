"""Opening files that hold sets, our own or of other systems (`ground.set_readers`), part by part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file
from gaussiandiffusion.ground.set_readers import ONE_SET_FILES, READERS, suffix_of
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.set_source import PART, Loaded, Reading, SetSource
from gaussiandiffusion.splats.shards import is_sharded, shard_files
from gaussiandiffusion.splats.splats import Splats
from gaussiandiffusion.splats.storage import Header, SplatFile

OWN = ".safetensors"
OF_SAMPLES = "splats.safetensors"  # in a folder that `sample` wrote


@dataclass
class Shards:
    """A folder of splat files of ours that `encode` wrote."""

    path: Path
    kind: str = "folder of shards"
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._paths = shard_files(self.path)

    def __len__(self) -> int:
        return sum(len(storage.load(path).splats) for path in self._paths)

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        first = None
        for path in self._paths:
            file = storage.load(path)
            first = first or _look(file)
            if _look(file) != first:
                raise InputError(f"{path}: holds splat sets of different canvas, K, blending, output or tensors than "
                                 "the first shard; keep those of one run of `encode`")  # fmt: skip
            if file.header.conditions is None:  # numbers of classes mean the same in all shards, names made of them not
                file = replace(file, conditions=None)
            for start in range(0, len(file.splats), size):
                yield file[start : start + size]


def _look(file: SplatFile) -> tuple[Any, ...]:
    """What all shards of a data set have in common."""
    splats = file.splats
    names = (*splats.tensors(), file.labels is None, file.psnr is None, file.header.conditions)
    return splats.canvas, splats.num_splats, splats.blending, splats.output, *names


def open_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SetSource:
    """Open any file that holds sets, or a folder of files of one kind that are one data set.

    Raises:
        InputError: it is not there, of no known kind, or not sound; or its kind needs a library that is missing.
    """
    path, reading = Path(path), reading or Reading()
    if is_sharded(path):  # whatever else lies there, as its report
        reading.refuse(path, "folder of splat files of this package")
        return Shards(path)
    if is_file(path / OF_SAMPLES):
        path = path / OF_SAMPLES
    suffix = suffix_of(path)
    if suffix in READERS:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        module, _, function = READERS[suffix].partition(":")
        opened: Callable[[Path, Reading], SetSource] = getattr(import_module(module), function)
        return opened(path, reading)
    if path.is_dir():
        raise InputError(f"{path}: is a folder without files of which a folder is one data set "
                         f"({', '.join(ONE_SET_FILES)}), or shards")  # fmt: skip
    if is_file(path) and suffix != OWN and not storage.is_safetensors(path):
        raise InputError(f"{path}: is no file of sets that is read here ({', '.join((OWN, *READERS))})")
    reading.refuse(path, "splat file of this package")
    return Loaded(storage.load(path), "splat file")


def load_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SplatFile:
    """All sets of any file at once; raises what `open_sets` and `sets_of` raise."""
    return sets_of(open_sets(path, reading), path)


def sets_of(source: SetSource, path: str | os.PathLike[str], limit: int | None = None) -> SplatFile:
    """The sets of an opened file at once, or the first `limit` of them.

    Raises:
        InputError: no set is sound, some are on another canvas than others, or what reading raises.
    """
    if isinstance(source, Loaded):
        return source.file if limit is None else source.file[:limit]
    parts: list[SplatFile] = []
    count = 0
    for part in source.parts():
        parts.append(part if limit is None else part[: limit - count])
        count += len(parts[-1].splats)
        if limit is not None and count >= limit:
            break
    try:
        return together(path, parts)
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def together(path: str | os.PathLike[str], parts: list[SplatFile]) -> SplatFile:
    """The parts of one source as one.

    Raises:
        InputError: there are none.
    """
    if not parts:
        raise InputError(f"{path}: holds no sound set")
    first = replace(parts[0], header=one_header([part.header for part in parts]))
    if len(parts) == 1 and (first.conditions is not None or first.labels is None):
        return first
    labels = [part.labels for part in parts if part.labels is not None]
    psnr = [part.psnr for part in parts if part.psnr is not None]
    indices = torch.cat(labels) if len(labels) == len(parts) else None
    return SplatFile(
        Splats.cat([part.splats for part in parts]),
        first.header,
        indices,
        torch.cat(psnr) if len(psnr) == len(parts) else None,
        _conditions(parts, indices),
    )


def one_header(headers: Sequence[Header]) -> Header:
    """The header of several parts of one source: the first's, of signed sets if any part's are."""
    return replace(headers[0], signed=any(header.signed for header in headers))


def _conditions(parts: list[SplatFile], labels: Int64[Tensor, " n"] | None) -> Conditions | None:
    """Those of all parts, by name where each names the same; else by the numbers of their classes."""
    known = [part.conditions for part in parts if part.conditions is not None]
    if len(known) == len(parts) and all(each.spec.attributes == known[0].spec.attributes for each in known):
        return Conditions.cat(known)
    if labels is None or (labels < 0).any():
        return None
    return Conditions.of(ConditionColumns.of_labels(labels.numpy()))
