"""Parquet files of pictures as Hugging Face publishes data sets: the extra `[parquet]`.

Layout: a column `image` (or `img`), whose values are the bytes of a picture file or structs with these as `bytes`;
and, if there is one, a column of integers, `label` (or `labels`, `fine_label`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gaussiandiffusion.data.arrays import to_labels
from gaussiandiffusion.data.decoding import Convert, decode
from gaussiandiffusion.data.mapped import HELD
from gaussiandiffusion.data.mixture import mixture
from gaussiandiffusion.data.sheets import LARGEST_RATIO
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

IMAGES = ("image", "img")
LABELS = ("label", "labels", "fine_label")
BATCH = 64  # rows unpacked at a time: a row group may hold the whole file
BUFFER = 1 << 20  # bytes of a column read at a time, for the same reason


class _Table:
    """One file: rows are read in order without rest; going back begins at the row group again."""

    def __init__(self, path: Path) -> None:
        parquet = _pyarrow()
        self.path = path
        try:
            self.file = parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
        except Exception as error:  # pyarrow's own errors, or those of the system
            raise _unsound(path, error) from error
        columns = {field.name: field.type for field in self.file.schema_arrow}
        image = next((name for name in IMAGES if name in columns), None)
        if image is None:
            raise InputError(f"{path}: has the columns {', '.join(columns)}; name that of the pictures 'image'")
        kind = columns[image]
        nested = any(field.name == "bytes" for field in kind) if str(kind).startswith("struct") else None
        if nested is False or (nested is None and str(kind) not in ("binary", "large_binary")):
            raise InputError(f"{path}: {image!r} is {kind}; pictures are bytes, or structs with bytes")
        self.column = f"{image}.bytes" if nested else image
        self.label = next((name for name in LABELS if name in columns and str(columns[name]).startswith("int")), None)
        self._check_packing()
        groups = [self.file.metadata.row_group(i).num_rows for i in range(self.file.metadata.num_row_groups)]
        self.starts = np.cumsum([0, *groups])
        self.batches: Iterator[Any] = iter(())
        self.batch: list[bytes | None] = []
        self.first = self.end = -1  # rows of `batch`; -1: nothing was read yet

    def _check_packing(self) -> None:
        metadata = self.file.metadata
        for index in range(metadata.num_row_groups):
            columns = [metadata.row_group(index).column(i) for i in range(metadata.num_columns)]
            for column in columns:
                packed, plain = column.total_compressed_size, column.total_uncompressed_size
                if plain > HELD and plain > LARGEST_RATIO * packed:  # pictures are packed already
                    raise InputError(
                        f"{self.path}: its column {column.path_in_schema!r} unpacks from {packed} to {plain} bytes, as "
                        "no pictures do; get it again"
                    )

    def __len__(self) -> int:
        return int(self.starts[-1])

    def labels(self) -> np.ndarray | None:
        """int64 [N], or None without a column of them."""
        if self.label is None:
            return None
        try:
            values = self.file.read(columns=[self.label]).column(0).to_numpy()
        except Exception as error:  # pyarrow's own errors, or those of the system
            raise _unsound(self.path, error) from error
        return to_labels(values, len(self), f"{self.path}: {self.label!r}")

    def content(self, row: int) -> bytes:
        """The bytes of one picture."""
        group = int(np.searchsorted(self.starts, row, side="right")) - 1
        if row < self.first or (row >= self.end and self.end < self.starts[group]):
            self._seek(group)
        try:
            while row >= self.end:
                batch = next(self.batches)
                column = batch.column(0)
                self.batch = (column.field("bytes") if hasattr(column, "field") else column).to_pylist()
                self.first, self.end = self.end, self.end + len(self.batch)
        except Exception as error:
            raise _unsound(self.path, error) from error
        content = self.batch[row - self.first]
        if content is None:
            raise InputError(f"{self.path}: row {row} holds no picture's bytes; embed the files, or take it out")
        return content

    def _seek(self, group: int) -> None:
        groups = range(group, len(self.starts) - 1)
        self.batches = self.file.iter_batches(BATCH, row_groups=groups, columns=[self.column])
        self.batch, self.first = [], int(self.starts[group])
        self.end = self.first


def open_parquet(paths: list[Path], convert: Convert | None = None) -> ImageSource:
    """The pictures of one or more files, one after another, decoded when asked for.

    Args:
        paths: files of pictures of one size (after `convert`).
        convert: applied to each opened picture.

    Raises:
        InputError: pyarrow is missing; a file is missing, damaged or without pictures; when they are read: a
            picture is damaged or of another size.
    """
    tables = [_Table(path) for path in paths]
    starts = np.cumsum([0, *map(len, tables)])
    if not starts[-1]:
        raise InputError(f"{paths[0]}: holds no rows; give a file with pictures")
    for table in tables:
        if not len(table):
            raise InputError(f"{table.path}: holds no rows; take it out")

    def load(row: int) -> np.ndarray:
        index = int(np.searchsorted(starts, row, side="right")) - 1
        own = int(row - starts[index])
        return decode(tables[index].content(own), f"{tables[index].path}: row {own}", convert)

    first = load(0)
    channels, height, width = first.shape

    def fetch(positions: np.ndarray) -> np.ndarray:
        pixels = np.empty((len(positions), *first.shape), np.uint8)
        for place, row in enumerate(positions):
            picture = load(int(row))
            if picture.shape != first.shape:
                sizes, kinds = picture.shape[1:] != first.shape[1:], len(picture) != len(first)
                every = convert is None
                where = paths[0] if len(paths) == 1 else paths[0].parent
                raise mixture(str(where), _rows(tables), sizes=sizes or every, kinds=kinds or every)
            pixels[place] = picture
        return pixels

    labels = [table.labels() for table in tables]
    known = [each for each in labels if each is not None]
    conditions = ConditionColumns.of_labels(np.concatenate(known)) if len(known) == len(tables) else None
    return ImageSource(int(starts[-1]), (height, width, channels), fetch, conditions, paths[0].name)


def _rows(tables: list[_Table]) -> Iterator[tuple[str, bytes]]:
    for table in tables:
        for row in range(len(table)):
            yield f"{table.path.name}: row {row}", table.content(row)


def parquet_files(folder: Path, split: str) -> list[Path]:
    """The files of a split in a folder or its `data/`: those called `SPLIT-...`, or all where none names a split.

    Raises:
        InputError: there are some of the other split only.
    """
    for place in (folder, folder / "data"):
        files = [file for file in sorted(place.glob("*.parquet")) if file.is_file()] if place.is_dir() else []
        if not of_splits(files):
            if files:
                return files
        elif chosen := [file for file in files if file.name.startswith(split)]:
            return chosen
        else:
            raise InputError(
                f"{place}: holds no Parquet files called {split}-..., those of the {split} split; add them"
            )
    return []


def of_splits(files: list[Path]) -> bool:
    """Whether the files' names tell of splits."""
    return any(file.name.startswith(("train", "test")) for file in files)


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            "Parquet files need pyarrow; install it with: pip install 'gaussiandiffusion[parquet]'"
        ) from None
    return pyarrow.parquet


def _unsound(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{path}: is not a readable Parquet file ({reason}); get it again")
