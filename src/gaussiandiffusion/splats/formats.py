"""Which files hold sets: our own, and those whose readers upper layers name here.

A kind is known by the suffixes of its files. Its reader is named as "module:function" and imported when a file of that
kind is opened, so that this layer knows no other and an optional library is needed by its own files alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

import torch
from jaxtyping import Int64
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.shards import is_sharded, shard_files
from gaussiandiffusion.splats.splats import Splats
from gaussiandiffusion.splats.storage import SplatFile

PART = 1024  # sets read at once
OURS = (".safetensors",)
READERS: dict[str, str] = {}  # suffix -> "module:function"; filled by the package


@dataclass(frozen=True)
class Reading:
    """What files of other systems do not say. None: guessed where it can be told, else the usual of the kind.

    Attributes:
        kernel_size: of the published drawing, which picks its path.
        clamp: how sums become pixels, "hard" to [0, 1] or "soft".
        canvas: (height, width) of the pictures.
        values: whether numbers are as drawn or from before sigmoid and tanh.
        labels: file with the index of each set's class: JSON, or text with one a line.
    """

    kernel_size: int | None = None
    clamp: Literal["hard", "soft"] | None = None
    canvas: tuple[int, int] | None = None
    values: Literal["final", "raw"] | None = None
    labels: Path | None = None


class SetSource(Protocol):
    """An opened file, or folder, of sets.

    Attributes:
        kind: what it is, in words.
        notes: what was guessed, and what was left out and why; complete once all parts are read.
    """

    kind: str
    notes: list[str]

    def __len__(self) -> int:
        """Sets there are; fewer may come, where some are not sound."""

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        """The sets in order, at most `size` at once, all of one K and canvas."""


@dataclass
class OwnFile:
    """A splat file of ours."""

    path: Path
    kind: str = "splat file"
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = storage.load(self.path)

    def __len__(self) -> int:
        return len(self.file.splats)

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        for start in range(0, len(self), size):
            yield self.file[start : start + size]


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
        for path in self._paths:
            file = storage.load(path)
            for start in range(0, len(file.splats), size):
                yield file[start : start + size]


def register(reader: str, *suffixes: str) -> None:
    """Name the reader, "module:function" of (path, Reading) -> SetSource, of files with these suffixes."""
    READERS.update(dict.fromkeys(suffixes, reader))


def suffix_of(path: Path) -> str:
    """That of a file, or of the set files in a folder: where they have one suffix, that one; else ""."""
    if not path.is_dir():
        return path.suffix.lower()
    found = {file.suffix.lower() for file in path.iterdir() if file.suffix.lower() in READERS}
    return found.pop() if len(found) == 1 else ""


def open_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SetSource:
    """Open any file that holds sets, or a folder of files of one kind that are one data set.

    Raises:
        InputError: it is not there, of no known kind, or not sound; or its kind needs a library that is missing.
    """
    path = Path(path)
    if is_sharded(path):  # whatever else lies there, as its report
        return Shards(path)
    suffix = suffix_of(path)
    if suffix in READERS:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        module, _, function = READERS[suffix].partition(":")
        opened: Callable[[Path, Reading], SetSource] = getattr(import_module(module), function)
        return opened(path, reading or Reading())
    if path.is_dir():
        raise InputError(f"{path}: holds no files of sets of one kind ({', '.join(READERS)})")
    return OwnFile(path)


def load_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SplatFile:
    """All sets of any file at once; raises what `open_sets` and `sets_of` raise."""
    return sets_of(open_sets(path, reading), path)


def sets_of(source: SetSource, path: str | os.PathLike[str], limit: int | None = None) -> SplatFile:
    """The sets of an opened file at once, or the first `limit` of them.

    Raises:
        InputError: no set is sound, some are on another canvas than others, or what reading raises.
    """
    if isinstance(source, OwnFile):
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
    first = parts[0]
    if len(parts) == 1:
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


def _conditions(parts: list[SplatFile], labels: Int64[Tensor, " n"] | None) -> Conditions | None:
    """Those of all parts, by name where each names the same; else by the numbers of their classes."""
    known = [part.conditions for part in parts if part.conditions is not None]
    if len(known) == len(parts) and all(each.spec.attributes == known[0].spec.attributes for each in known):
        return Conditions.cat(known)
    if labels is None or (labels < 0).any():
        return None
    return Conditions.of(ConditionColumns.of_labels(labels.numpy()))
