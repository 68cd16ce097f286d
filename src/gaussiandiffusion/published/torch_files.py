"""Published `.pt` files: one set a file, `{"W": [K, 7 or 9]}`; a folder of them is one data set, by their numbers.

The follow-up's hold numbers as drawn; those of the paper's time hold what Adam moved, a label and the history of the
loss, and different numbers of rows. Files are read with `weights_only`: nothing in them is run.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, parse_json, read_text, to_record
from gaussiandiffusion.published.gaussianimage import is_gaussianimage, read_gaussianimage
from gaussiandiffusion.published.image_gs import is_image_gs, read_image_gs
from gaussiandiffusion.published.rows import Rows, filled_up
from gaussiandiffusion.published.source import PublishedSource, Said
from gaussiandiffusion.splats.set_source import Loaded, Reading, SetSource

PAPER = Said("sets of the paper's time (.pt)", kernel_size=9, clamp="hard", values="raw")
UNKNOWN = Said("sets of the follow-up (.pt)", kernel_size=11, clamp="hard")  # some are from before it: values tell
PAPERS_OWN = "loss_history"  # a key that only files of the paper's time have


def read_state(path: Path) -> dict[str, Any]:
    """What a `.pt` file holds, which must be a dictionary, or rows alone.

    Raises:
        InputError: missing, truncated, or of objects that could run code when they are read.
    """
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: is not a sound file of tensors and plain values alone; objects that could run code are not read"
        ) from error
    except Exception as error:  # zip and pickle readers raise whatever a broken file leads them to
        raise InputError(f"{path}: is no readable .pt file; copy it again") from error
    if isinstance(state, Tensor):
        return {"W": state}  # as the very first files were
    if not isinstance(state, dict):
        raise InputError(f"{path}: holds a {type(state).__name__}, not a dictionary with the key W")
    return state


def files_in(folder: Path) -> list[Path]:
    """The `.pt` files of a folder, in the order of the first number in their names, then of the names."""

    def key(path: Path) -> tuple[int, str]:
        found = re.search(r"\d+", path.stem)
        return (int(found[0]) if found else 0, path.name)

    return sorted((path for path in folder.iterdir() if path.suffix.lower() == ".pt"), key=key)


def rows_of(state: dict[str, Any], path: Path) -> Tensor:
    """The rows of one set, [K, F]; raises InputError where the file holds none."""
    rows = state.get("W")
    if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) == 0 or not rows.is_floating_point():
        raise InputError(f"{path}: holds no W of shape (K, 7), so it is no published set")
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
            labels.append(state.get("label"))
            papers.append(PAPERS_OWN in state)
            if len(sets) == 1:
                said = ours(state, file)
            if sets[-1].shape[1] != sets[0].shape[1]:
                counts = f"{sets[-1].shape[1]} numbers, {self.files[0].name} of {sets[0].shape[1]}"
                raise InputError(f"{file}: has rows of {counts}")
        self.columns = sets[0].shape[1]
        self.said = said or (PAPER if all(papers) else UNKNOWN)
        most = max(map(len, sets))
        self.sets = filled_up(sets, most)
        if short := sum(len(rows) < most for rows in sets):
            self.notes.append(f"{short} sets of fewer than {most} rows filled up with rows that draw nothing")
        self.labels = self._labels(labels)

    def __len__(self) -> int:
        return len(self.files)

    def parts(self, size: int) -> Iterator[Rows]:
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield Rows(self.sets[part], None if self.labels is None else self.labels[part])

    def _labels(self, own: list[Any]) -> Tensor | None:
        """Those of the labels file, by the files' numbers in order; else those in the files, if each has one."""
        if self.labels_file is not None:
            found = read_labels(self.labels_file)
            if len(found) != len(self.files):
                raise InputError(
                    f"{self.labels_file}: has {len(found)} labels for {len(self.files)} sets in {self.path}"
                )
            return found
        if all(isinstance(label, int) and not isinstance(label, bool) for label in own):
            return torch.tensor(own, dtype=torch.int64)
        return None


def read_labels(path: Path) -> Tensor:
    """Indices of classes: a JSON list, a JSON object of numbers to indices, or text with one index a line.

    Raises:
        InputError: unreadable, or not whole numbers >= 0.
    """
    text = read_text(path)
    values: Any = parse_json(text, path) if path.suffix.lower() == ".json" else text.split()
    if isinstance(values, dict):
        try:
            values = [values[key] for key in sorted(values, key=int)]
        except ValueError as error:
            raise InputError(f"{path}: its keys must be the numbers of the sets") from error
    try:
        labels = [int(value) for value in values]
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: labels must be whole numbers, one a set ({error})") from error
    if any(label < 0 for label in labels):
        raise InputError(f"{path}: labels must be >= 0")
    return torch.tensor(labels, dtype=torch.int64)


def open_torch(path: Path, reading: Reading) -> SetSource:
    """A file: a published set, or a model of GaussianImage or Image-GS; or a folder of published sets."""
    if not path.is_dir():
        state = read_state(path)
        if is_gaussianimage(state):
            return Loaded(read_gaussianimage(state, reading, path), "GaussianImage model")
        if is_image_gs(state):
            return Loaded(read_image_gs(state, reading, path), "Image-GS checkpoint")
    return PublishedSource(TorchFiles(path, reading.labels), reading)
