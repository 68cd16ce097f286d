"""Published `.pt` files: one set a file, `{"W": [K, 7 or 9]}`; a folder of them is one data set, by their numbers.

The follow-up's hold numbers as drawn; those of the paper's time hold what Adam moved, a label and the history of the
loss, and different numbers of rows. Files are read with `weights_only`: nothing in them is run.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from msgspec import Meta
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, to_record
from gaussiandiffusion.published.gaussianimage import is_gaussianimage, read_gaussianimage
from gaussiandiffusion.published.image_gs import is_image_gs, read_image_gs
from gaussiandiffusion.published.labels import read_labels
from gaussiandiffusion.published.rows import Rows, filled_up
from gaussiandiffusion.published.source import PublishedSource, Said
from gaussiandiffusion.splats.set_source import Loaded, Reading, SetSource

PAPER = Said("sets of the paper's time (.pt)", kernel_size=9, clamp="hard", values="raw")
UNKNOWN = Said("sets of the follow-up (.pt)", kernel_size=11, clamp="hard")  # some are from before it: values tell
PAPERS_OWN = "loss_history"  # a key that only files of the paper's time have
Label = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # below 0: none


def read_state(path: Path) -> dict[str, Any]:
    """What a `.pt` file holds, which must be a dictionary, or rows alone.

    Raises:
        InputError: missing, truncated, of objects that could run code when they are read, or of tensors that are not
            plain numbers in memory.
    """
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    try:
        with warnings.catch_warnings(action="ignore"):  # of old files, and what is wrong with one is said in a sentence
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: is not a sound file of tensors and plain values alone; objects that could run code are not read"
        ) from error
    except Exception as error:  # zip and pickle readers raise whatever a broken file leads them to
        raise InputError(f"{path}: is no readable .pt file; copy it again") from error
    if isinstance(state, Tensor):
        state = {"W": state}  # as the very first files were
    if not isinstance(state, dict):
        raise InputError(f"{path}: holds a {type(state).__name__}, not a dictionary with the key W")
    _check_plain(state, path)
    return {name: value for name, value in state.items() if isinstance(name, str)}


def _check_plain(state: dict[Any, Any], path: Path) -> None:
    """Refuse tensors that are sparse, without numbers, or larger than what the file holds; raises InputError."""
    for name, value in state.items():
        if isinstance(value, dict):
            _check_plain(value, path)
        elif isinstance(value, Tensor):
            plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_nested
            if not plain or value.numel() * value.element_size() > value.untyped_storage().nbytes():
                raise InputError(f"{path}: {name} is no tensor that lies in the file number by number "
                                 "(sparse, or larger than what is stored); save a plain one")  # fmt: skip


def files_in(folder: Path) -> list[Path]:
    """The `.pt` files of a folder, in the order of the numbers in their names, then of the names."""

    def key(path: Path) -> tuple[list[int], str]:
        return (_numbers(path), path.name)

    files = (path for path in folder.iterdir() if path.suffix.lower() == ".pt" and not path.name.startswith("."))
    return sorted((path for path in files if not path.is_dir()), key=key)


def _numbers(path: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]{1,18}", path.stem)]


def numbers_of(files: list[Path]) -> list[int] | None:
    """The number of each file: the first in its name, or the last, that tells it from all others; None without such."""
    found = [_numbers(path) for path in files]
    for place in (0, -1):
        numbers = [each[place] for each in found if each]
        if len(set(numbers)) == len(files):
            return numbers
    return None


def rows_of(state: dict[str, Any], path: Path) -> Tensor:
    """The rows of one set, [K, F]; raises InputError where the file holds none."""
    rows = state.get("W")
    if not isinstance(rows, Tensor):
        held = ", ".join(map(str, state)) or "nothing"
        raise InputError(f"{path}: holds no tensor W, so it is no published set (it holds {held:.200})")
    if rows.ndim != 2 or len(rows) == 0 or not rows.is_floating_point():
        kind = str(rows.dtype).removeprefix("torch.")
        raise InputError(
            f"{path}: W is {kind} {tuple(rows.shape)}, not floats of shape (K, 7), so it is no published set"
        )
    return rows.detach().float()


def ours(state: dict[str, Any], path: Path) -> Said | None:
    """What a file says that we wrote; None for one that others did.

    Raises:
        InputError: it says it wrongly.
    """
    if "canvas" not in state:
        return None
    try:
        written = to_record({key: state[key] for key in ("canvas", "kernel_size", "soft_clamp")}, Written, str(path))
    except KeyError as error:
        raise InputError(f"{path}: has a canvas, but no {error}; write it again") from error
    clamp: Literal["hard", "soft"] = "soft" if written.soft_clamp else "hard"
    return Said("sets (.pt)", written.kernel_size, clamp, "final", written.canvas)


@dataclass(frozen=True)
class Written:
    """What our `.pt` files say beside their rows; others' readers pass over it."""

    canvas: tuple[int, int]
    kernel_size: int
    soft_clamp: bool


@dataclass
class TorchFiles:
    """One file or a folder of them; a `RowFile`.

    Sets of fewer rows than the largest are filled up with rows that draw nothing.
    """

    path: Path
    labels_file: Path | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.files = files_in(self.path) if self.path.is_dir() else [self.path]
        sets, labels, papers = [], [], []
        for file in self.files:
            state = read_state(file)  # histories of losses are far larger than sets: none is kept
            sets.append(rows_of(state, file))
            labels.append(_label(state, file))
            papers.append(PAPERS_OWN in state)
            if len(sets) == 1:
                said = ours(state, file)
            elif ours(state, file) != said:
                raise InputError(
                    f"{file}: says of its drawing what {self.files[0].name} does not; give files of one kind"
                )
            if sets[-1].shape[1] != sets[0].shape[1]:
                counts = f"{sets[-1].shape[1]} numbers, {self.files[0].name} of {sets[0].shape[1]}"
                raise InputError(f"{file}: has rows of {counts}")
        self.columns, self.rows = sets[0].shape[1], max(map(len, sets))
        self.said = said or (PAPER if all(papers) else UNKNOWN)
        self.sets = filled_up(sets, self.rows)
        if short := sum(len(rows) < self.rows for rows in sets):
            self.notes.append(f"{short} sets of fewer than {self.rows} rows filled up with rows that draw nothing")
        self.labels = self._labels(labels)

    def __len__(self) -> int:
        return len(self.files)

    def parts(self, size: int) -> Iterator[Rows]:
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield Rows(self.sets[part], None if self.labels is None else self.labels[part])

    def _labels(self, own: list[int | None]) -> Tensor | None:
        """Those of the labels file, by the files' numbers in order; else those in the files, if each has one."""
        if self.labels_file is not None:
            return read_labels(self.labels_file, len(self.files), numbers_of(self.files))
        known = [label for label in own if label is not None]
        if len(known) == len(own):
            return torch.tensor(known, dtype=torch.int64)
        if known:
            self.notes.append(f"labels left out: {len(own) - len(known)} of {len(own)} files have none")
        return None


def _label(state: dict[str, Any], path: Path) -> int | None:
    """The class that a file says; raises InputError where that is no index."""
    label = state.get("label")
    if isinstance(label, Tensor) and label.numel() == 1:
        label = label.item()
    return to_record(label, Label | None, f"{path}: label")


def open_torch(path: Path, reading: Reading) -> SetSource:
    """A file: a published set, or a model of GaussianImage or Image-GS; or a folder of published sets."""
    if not path.is_dir():
        state = read_state(path)
        if is_gaussianimage(state):
            reading.refuse(path, "GaussianImage model", "canvas")
            return Loaded(read_gaussianimage(state, reading, path), "GaussianImage model")
        if is_image_gs(state):
            reading.refuse(path, "checkpoint of Image-GS", "canvas")
            return Loaded(read_image_gs(state, reading, path), "Image-GS checkpoint")
    return PublishedSource(TorchFiles(path, reading.labels), reading)
