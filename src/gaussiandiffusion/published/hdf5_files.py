"""Published HDF5 files (extra `[hdf5]`): arrays of all sets, or a group a set in either of two layouts.

| layout | holds | order |
| --- | --- | --- |
| arrays | `W [N, K, 9]`, `labels`, `psnr`, `done`; attributes `kernel_size`, `soft_clamp` | as stored |
| groups | `W/sprite_<id>` or `W/img_<id>`, each `scaling`, `rotation`, `opacity`, `features`, `xyz` | by number |
| the same with angles | `rotation` in [0, 2 pi), `scaling` in pixels: drawn by GaussianImage_RS | by number |
| top level | `sprite_<id>/W [K, 8 or 9]` | by name, as its own reader takes them |

Links to other files and virtual data sets are refused: what a file shows must lie in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from msgspec import Meta
from numpy import ndarray

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, to_record
from gaussiandiffusion.published.labels import read_labels
from gaussiandiffusion.published.rows import Rows, filled_up
from gaussiandiffusion.published.source import PublishedSource, RowFile, Said
from gaussiandiffusion.splats.set_source import Reading, SetSource

GROUP_COLUMNS = {"scaling": 2, "rotation": 1, "opacity": 1, "features": 3, "xyz": 2}  # in the order of a row
GROUPS = Said("published HDF5 groups", kernel_size=17, clamp="hard", values="final")
ANGLES = Said(
    "HDF5 groups with angles, as GaussianImage draws", kernel_size=17, clamp="hard", values="final", angles=True
)
TOP_LEVEL = Said("published HDF5 sprites", kernel_size=17, clamp="hard")
ARRAYS = "published HDF5 arrays"
ARRAYS_KERNEL = 32  # where a shard's attribute does not say
COMPRESSION = 1100  # at most, of HDF5's filters: deflate's is 1032
SMALL = 64 << 20  # bytes that are read unasked

Side = Annotated[int, Meta(ge=1)]


def library() -> Any:
    """h5py, or InputError that names the extra."""
    try:
        import h5py
    except ImportError as error:
        raise InputError("HDF5 files need h5py: pip install 'gaussiandiffusion[hdf5]'") from error
    return h5py


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file for reading; whatever its library stumbles over becomes InputError."""
    h5py = library()
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is no readable HDF5 file ({error}); copy it again") from error


def dataset(group: Any, name: str, path: Path, share: float = 1.0) -> Any:
    """A data set that lies in the file itself.

    Args:
        share: of its numbers that must be there.

    Raises:
        InputError: there is none, or it is a link, or its numbers are elsewhere, or fewer than its shape says.
    """
    h5py = library()
    where = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise InputError(f"{path}: {where} is missing, or a link, which is not followed")
    found = group[name]
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise InputError(f"{path}: {where} is no data set whose numbers lie in this file")
    if found.dtype.kind not in "fiub":
        raise InputError(f"{path}: {where} holds {found.dtype}, not numbers")
    stored = found.id.get_storage_size()
    if found.nbytes * share > max(SMALL, COMPRESSION * stored):
        raise InputError(
            f"{path}: {where} says it has shape {found.shape}, but holds only {stored} bytes; copy it again"
        )
    return found


def attribute(file: Any, name: str, kind: Any, usual: Any, path: Path) -> Any:
    """An attribute of a file, checked; `usual` where there is none."""
    value = file.attrs.get(name)
    if value is None:
        return usual
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return to_record(plain, kind, f"{path}: attribute {name}")


def subgroups(group: Any, path: Path, pattern: str) -> list[str]:
    """Names of the groups in a group that match; raises InputError where one is a link."""
    h5py = library()
    names = [name for name in group if isinstance(name, str) and re.fullmatch(pattern, name)]  # bytes are no UTF-8
    for name in names:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink) or not isinstance(group[name], h5py.Group):
            raise InputError(f"{path}: {group.name.rstrip('/')}/{name} is no group of this file, so it is not read")
    return names


@dataclass
class ArrayFile:
    """The arrays' layout, read part by part; a `RowFile`. Rows that are not done are left out and counted."""

    path: Path
    labels_file: Path | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with opened(self.path) as file:
            stored = dataset(file, "W", self.path, share=0)
            if stored.ndim != 3 or stored.dtype.kind != "f" or 0 in stored.shape:
                raise InputError(f"{self.path}: W is {stored.dtype} {stored.shape}, not floats of shape (N, K, 9)")
            self.count, self.rows, self.columns = stored.shape
            done = self._column(file, "done")
            self.done = np.ones(self.count, bool) if done is None else done > 0
            dataset(file, "W", self.path, share=float(self.done.mean()))
            labels, psnr = self._column(file, "labels"), self._column(file, "psnr")
            kernel = attribute(file, "kernel_size", int, ARRAYS_KERNEL, self.path)
            soft = attribute(file, "soft_clamp", bool | Literal[0, 1], True, self.path)
            canvas = attribute(file, "canvas", tuple[Side, Side], None, self.path)
        self.said = Said(ARRAYS, kernel, "soft" if soft else "hard", "final", canvas)
        self.psnr = None if psnr is None else self._finite(psnr)
        if self.labels_file is not None:
            self.labels: ndarray | None = read_labels(self.labels_file, self.count).numpy()
        else:
            self.labels = None if labels is None else self._whole(labels)
        if not self.done.all():
            self.notes.append(
                f"{int((~self.done).sum())} sets left out that are not done (the first: {int(self.done.argmin())})"
            )

    def __len__(self) -> int:
        return self.count

    def parts(self, size: int) -> Iterator[Rows]:
        with opened(self.path) as file:
            stored = dataset(file, "W", self.path, share=0)  # its size was checked
            for start in range(0, self.count, size):
                part = slice(start, start + size)
                if not self.done[part].any():
                    continue
                with np.errstate(over="ignore"):  # infinity is told of as such
                    sets = torch.from_numpy(np.asarray(stored[part], np.float32))
                beside = (None if each is None else torch.from_numpy(each[part]) for each in (self.labels, self.psnr))
                yield Rows(sets, *beside)[torch.from_numpy(self.done[part])]

    def _whole(self, labels: ndarray) -> ndarray:
        """Labels as int64; -1 and the like stay, as of no class."""
        with np.errstate(invalid="ignore"):
            whole = labels.astype(np.int64)
        if wrong := int((whole[self.done] != labels[self.done]).sum()):
            raise InputError(f"{self.path}: {wrong} of its labels are no whole numbers; --labels FILE gives others")
        return whole

    def _finite(self, psnr: ndarray) -> ndarray | None:
        with np.errstate(over="ignore"):
            found = psnr.astype(np.float32)
        if wrong := int((~np.isfinite(found[self.done])).sum()):
            self.notes.append(f"psnr left out: {wrong} of its numbers are NaN or infinity")
            return None
        return found

    def _column(self, file: Any, name: str) -> ndarray | None:
        if name not in file and file.get(name, getlink=True) is None:
            return None
        values = dataset(file, name, self.path)
        if values.shape != (self.count,):
            raise InputError(f"{self.path}: {name} has shape {values.shape} for {self.count} sets")
        return values[()]


@dataclass
class GroupFile:
    """A group a set, in either layout; a `RowFile`."""

    path: Path
    inner: bool
    labels_file: Path | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with opened(self.path) as file:
            place = file["W"] if self.inner else file
            names = subgroups(place, self.path, r"(?:sprite|img)_[0-9]+")
            # A number's order in one layout, a name's in the other: each as its own reader takes them.
            self.names = sorted(names, key=(lambda name: int(name.rpartition("_")[2])) if self.inner else None)
            shapes = [self._shape(place[name]) for name in self.names]
            # A rho ends at 1. What goes beyond is an angle, and then all in the file are.
            angles = self.inner and any((abs(dataset(place[name], "rotation", self.path)[()]) > 1).any()
                                        for name in self.names)  # fmt: skip
        if not shapes:
            raise InputError(f"{self.path}: holds no groups sprite_<id> or img_<id>, so it is no published file")
        self.rows, self.columns = max(rows for rows, _ in shapes), shapes[0][1]
        if any(columns != self.columns for _, columns in shapes):
            raise InputError(f"{self.path}: its sets have rows of different lengths")
        if short := sum(rows < self.rows for rows, _ in shapes):
            self.notes.append(f"{short} sets of fewer than {self.rows} rows filled up with rows that draw nothing")
        self.said = ANGLES if angles else GROUPS if self.inner else TOP_LEVEL
        self.labels = None
        if self.labels_file is not None:
            ids = [int(name.rpartition("_")[2]) for name in self.names]
            numbers = ids if len(set(ids)) == len(ids) else None
            self.labels = read_labels(self.labels_file, len(self.names), numbers)

    def __len__(self) -> int:
        return len(self.names)

    def parts(self, size: int) -> Iterator[Rows]:
        with opened(self.path) as file:
            place = file["W"] if self.inner else file
            for start in range(0, len(self), size):
                part = slice(start, start + size)
                sets = [torch.from_numpy(self._rows(place[name])) for name in self.names[part]]
                yield Rows(filled_up(sets, self.rows), None if self.labels is None else self.labels[part])

    def _shape(self, group: Any) -> tuple[int, int]:
        """Rows and columns of a set, unread."""
        if not self.inner:
            shape = dataset(group, "W", self.path).shape
            if len(shape) != 2 or 0 in shape:
                raise InputError(f"{self.path}: {group.name}/W has shape {shape}, not (K, 8 or 9)")
            return shape
        parts = {name: dataset(group, name, self.path).shape for name in GROUP_COLUMNS}
        count = parts["scaling"][0] if parts["scaling"] else 0
        for name, shape in parts.items():
            if count == 0 or shape != (count, GROUP_COLUMNS[name]):
                raise InputError(
                    f"{self.path}: {group.name}/{name} has shape {shape}, not ({count or 'K'}, {GROUP_COLUMNS[name]})"
                )
        return count, sum(GROUP_COLUMNS.values())

    def _rows(self, group: Any) -> ndarray:
        names = GROUP_COLUMNS if self.inner else ("W",)
        with np.errstate(over="ignore"):  # infinity is told of as such
            return np.concatenate([dataset(group, name, self.path)[()] for name in names], 1).astype(np.float32)


def open_hdf5(path: Path, reading: Reading) -> SetSource:
    """A published HDF5 file of any layout."""
    h5py = library()
    with opened(path) as file:
        link = file.get("W", getlink=True) if "W" in file else None
        if link is not None and not isinstance(link, h5py.HardLink):
            raise InputError(f"{path}: /W is a link, which is not followed")
        inner = link is not None and isinstance(file["W"], h5py.Group)
        arrays = link is not None and not inner
    rows: RowFile = ArrayFile(path, reading.labels) if arrays else GroupFile(path, inner, reading.labels)
    return PublishedSource(rows, reading)
