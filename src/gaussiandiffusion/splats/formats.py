"""Opening files that hold sets, our own or of other systems (`ground.set_readers`), part by part."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch

from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.set_readers import READERS, suffix_of
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.set_source import Loaded, Reading, SetSource
from gaussiandiffusion.splats.splats import Splats
from gaussiandiffusion.splats.storage import SplatFile


def open_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SetSource:
    """Open any file that holds sets, or a folder of files of one kind that are one data set.

    Raises:
        InputError: it is not there, of no known kind, or not sound; or its kind needs a library that is missing.
    """
    path = Path(path)
    suffix = suffix_of(path)
    if suffix in READERS:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        module, _, function = READERS[suffix].partition(":")
        opened: Callable[[Path, Reading], SetSource] = getattr(import_module(module), function)
        return opened(path, reading or Reading())
    if path.is_dir():
        raise InputError(f"{path}: holds no files of sets of one kind ({', '.join(READERS)})")
    return Loaded(storage.load(path), "splat file")


def load_sets(path: str | os.PathLike[str], reading: Reading | None = None) -> SplatFile:
    """All sets of any file at once; raises what `open_sets` and reading raise, and InputError if no set is sound."""
    source = open_sets(path, reading)
    if isinstance(source, Loaded):
        return source.file
    return together(path, list(source.parts()))


def together(path: str | os.PathLike[str], parts: list[SplatFile]) -> SplatFile:
    """The parts of one source as one.

    Raises:
        InputError: there are none.
    """
    if not parts:
        raise InputError(f"{path}: holds no sound set")
    first = parts[0]
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
        None if indices is None or (indices < 0).any() else Conditions.of(ConditionColumns.of_labels(indices.numpy())),
    )
