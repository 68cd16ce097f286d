"""Picture sheets in .npz archives: many small pictures in few lossless WebP images, which pack far better.

Layout: `webp`, uint8, the bytes of S WebP images one after another; `offsets`, int64 [S + 1], where each begins and
the last ends. A sheet is W pixels wide and shows N / S pictures of W x W one below another. `labels`, integers [N],
if there are any; further arrays of N rows may describe the pictures.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from gaussiandiffusion.data.mapped import HELD
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

LARGEST_RATIO = 10  # of an archive's bytes unpacked and packed

Columns = Mapping[str, np.ndarray]
Describe = Callable[[Columns], ConditionColumns | None]


def numbered(columns: Columns) -> ConditionColumns | None:
    """Classes by the integers in `labels`."""
    return ConditionColumns.of_labels(columns["labels"]) if "labels" in columns else None


class _SheetFile:
    """One archive: conditions and offsets at once, sheets when asked for; the packed bytes are held."""

    def __init__(self, path: Path, describe: Describe) -> None:
        self.path = path
        try:
            with np.load(path, allow_pickle=False) as archive:
                unpacked = sum(info.file_size for info in archive.zip.infolist())
                if unpacked > HELD + LARGEST_RATIO * path.stat().st_size:  # pictures are packed already
                    raise ValueError(f"it unpacks to {unpacked} bytes")
                self.columns: dict[str, np.ndarray] = {name: archive[name] for name in archive.files if name != "webp"}
                self.offsets = self.columns.pop("offsets")
                self.packed = archive["webp"]
            if self.offsets.dtype.kind not in "iu" or self.packed.dtype != np.uint8 or self.packed.ndim != 1:
                raise ValueError(f"offsets are {self.offsets.dtype}, webp is {self.packed.dtype}")
            lengths = {name: len(column) for name, column in self.columns.items()}
            if len(set(lengths.values())) > 1:
                raise ValueError(f"its columns differ in length: {lengths}")
            self.count = max(lengths.values(), default=0)
            self.sheets = len(self.offsets) - 1
            self.conditions = describe(self.columns)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        except Exception as error:  # damaged zips and headers make NumPy raise nearly anything
            raise _no_sheets(path, error) from error
        ends = np.r_[0, self.offsets, len(self.packed)]
        if self.sheets < 1 or self.count < 1 or self.count % self.sheets or np.any(np.diff(ends.astype(np.int64)) < 0):
            raise _no_sheets(path, f"{self.count} pictures on {self.sheets} sheets of {len(self.packed)} bytes")
        self.per_sheet = self.count // self.sheets

    def sheet(self, index: int) -> np.ndarray:
        """The pictures of one sheet, uint8 [n, C, W, W]."""
        content = self.packed[self.offsets[index] : self.offsets[index + 1]].tobytes()
        try:
            pixels = np.asarray(Image.open(io.BytesIO(content), formats=["WEBP"]).convert("RGB"))
        except Exception as error:  # damaged files make decoders raise nearly anything
            raise _no_sheets(self.path, f"sheet {index}: {error}") from error
        height, width, channels = pixels.shape
        if height != self.per_sheet * width:
            raise _no_sheets(self.path, f"sheet {index} is {width}x{height}, not {self.per_sheet} squares high")
        return pixels.reshape(self.per_sheet, width, width, channels).transpose(0, 3, 1, 2)


def open_sheets(
    paths: list[Path],
    describe: Describe = numbered,
    keep: Callable[[Columns], np.ndarray] | None = None,
) -> ImageSource:
    """The pictures of one or more archives, one after another; sheets are unpacked when asked for.

    Args:
        paths: archives of pictures of one size.
        describe: the pictures' conditions from an archive's arrays of N rows.
        keep: bool [N] from the same: which of the pictures; default: all.

    Raises:
        InputError: an archive is missing, damaged or of another layout, or the sizes differ.
    """
    files = [_SheetFile(path, describe) for path in paths]
    starts = np.cumsum([0, *(file.count for file in files)])
    _, channels, height, width = files[0].sheet(0).shape

    def fetch(positions: np.ndarray) -> np.ndarray:
        pixels = np.empty((len(positions), channels, height, width), np.uint8)
        of_file = np.searchsorted(starts, positions, side="right") - 1
        for index in np.unique(of_file):
            file = files[index]
            mine = np.flatnonzero(of_file == index)
            sheet, place = np.divmod(positions[mine] - starts[index], file.per_sheet)
            for number in np.unique(sheet):
                unpacked = file.sheet(int(number))
                if unpacked.shape[1:] != pixels.shape[1:]:
                    size = f"{unpacked.shape[3]}x{unpacked.shape[2]}"
                    raise _no_sheets(file.path, f"pictures of {size} pixels, but {width}x{height} in {paths[0].name}")
                chosen = sheet == number
                pixels[mine[chosen]] = unpacked[place[chosen]]
        return pixels

    conditions = [file.conditions for file in files if file.conditions is not None]
    source = ImageSource(
        int(starts[-1]),
        (height, width, channels),
        fetch,
        ConditionColumns.cat(conditions) if len(conditions) == len(files) else None,
        paths[0].name,
    )
    if source.conditions is not None and len(source.conditions.values) != len(source):
        raise _no_sheets(paths[0], f"{len(source.conditions.values)} labels for {len(source)} pictures")
    if keep is None:
        return source
    return source.select(np.flatnonzero(np.concatenate([keep(file.columns) for file in files])))


def _no_sheets(path: Path, why: object) -> InputError:
    return InputError(f"{path}: is no sound .npz of picture sheets ({why}); get it again")
