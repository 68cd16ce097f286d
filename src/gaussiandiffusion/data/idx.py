"""IDX files, plain or gzipped: the format of MNIST and its relatives.

Layout: two zero bytes, a type (0x08 = unsigned byte), the number of dimensions, each dimension as a
big-endian uint32, then the values. Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from gaussiandiffusion.data.mapped import HELD, array_source, mapped, unpacked
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

UNSIGNED_BYTE = 0x08
# Deflate packs at most 1032 to 1: a header that claims more than that lies, and is not worth the memory.
DEFLATE_LIMIT = 1032
NAMES = {"images-idx3": "labels-idx1", "images.idx3": "labels.idx1"}


def open_idx(images: Path, labels: Path | None, limit: int | None = None) -> ImageSource:
    """Images and their labels; a large file's images stay in it until they are asked for.

    Args:
        limit: only the first so many images, and of a large gzipped file no more is unpacked than these.

    Returns:
        A source of grey images, with labels unless there is no file of them.

    Raises:
        InputError: see `read_idx`; or there are no pixels, or not as many labels as images.
    """
    pixels, shape = _open_idx(images, dimensions=3, limit=limit)
    if 0 in shape:
        raise InputError(f"{images}: holds no pixels (its header says {list(shape)}); give another file")
    values = None if labels is None else read_idx(labels, dimensions=1)
    if values is not None and len(values) != shape[0]:
        raise InputError(
            f"{labels}: holds {len(values)} labels for the {shape[0]} images of {images.name}; "
            "give files that belong together"
        )
    conditions = None if values is None else ConditionColumns.of_labels(values).take(slice(len(pixels())))
    return array_source(lambda: pixels()[:, None], conditions=conditions, name=images.name).limit(limit)


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The values of one IDX file, uint8; raises as `_open_idx` does."""
    values, _ = _open_idx(path, dimensions)
    return np.array(values())


def _open_idx(
    path: Path, dimensions: int, limit: int | None = None
) -> tuple[Callable[[], np.ndarray], tuple[int, ...]]:
    """Open one IDX file of unsigned bytes, strictly: nothing missing, nothing left over.

    Args:
        path: the file; gzipped exactly if its name ends in `.gz`.
        dimensions: how many dimensions it must have (images 3, labels 1).

    Returns:
        A function that gives the values, uint8, and the shape that the header gives: theirs, unless the file is large
        and gzipped and only the first `limit` were unpacked.

    Raises:
        InputError: the file is missing, is not (gzipped) IDX of that kind, is cut short or goes on too long.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if packed else open(path, "rb") as file:
            size = path.stat().st_size
            shape = _read_header(file, path, dimensions)
            if math.prod(shape) > size * (DEFLATE_LIMIT if packed else 1):
                raise _truncated(path)
            if math.prod(shape) <= HELD:
                values = _read_values(file, path, shape)
                return lambda: values, shape
            if not packed:
                _check_size(path, shape, size - file.tell())
                return mapped(path, path, shape, offset=file.tell()), shape
            first = (min(shape[0], limit or shape[0]), *shape[1:])
            one_more = int(first == shape)  # to see whether it goes on
            content = unpacked(file, path, math.prod(first) + one_more, size)
            _check_size(path, first, content.tell())
            return mapped(content, path, first), shape
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except EOFError:
        raise _truncated(path) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}: is not a sound gzip file ({error}); get it again, or drop .gz from its name if it is unpacked"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_header(file: BufferedIOBase, path: Path, dimensions: int) -> tuple[int, ...]:
    magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        raise InputError(f"{path}: is gzipped; add .gz to its name")
    if not magic:
        raise InputError(f"{path}: is empty; get the file again")
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise InputError(f"{path}: is not an IDX file (it begins with {magic.hex()}); give another file")
    if magic[2] != UNSIGNED_BYTE:
        raise InputError(f"{path}: holds values of type 0x{magic[2]:02x}; only unsigned bytes (0x08) are read")
    if magic[3] != dimensions:
        kinds = {1: "labels", 3: "images"}
        found = kinds.get(magic[3], "neither images nor labels")
        raise InputError(
            f"{path}: has {magic[3]} dimensions ({found}), but {kinds[dimensions]} have {dimensions}; "
            f"give the {kinds[dimensions]} file"
        )
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise _truncated(path)
    return struct.unpack(f">{dimensions}I", header)


def _read_values(file: BufferedIOBase, path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.empty(shape, np.uint8)
    except (MemoryError, ValueError):
        raise InputError(f"{path}: {list(shape)} values do not fit into memory; give a smaller file") from None
    flat = values.reshape(-1).data
    filled = 0
    while filled < values.size:
        count = file.readinto(flat[filled:])
        if not count:
            raise _truncated(path)
        filled += count
    _check_size(path, shape, filled + len(file.read(1)))
    return values


def _check_size(path: Path, shape: tuple[int, ...], size: int) -> None:
    if size < math.prod(shape):
        raise _truncated(path)
    if size > math.prod(shape):
        raise InputError(f"{path}: goes on after its {list(shape)} values; get the file again")


def _truncated(path: Path) -> InputError:
    return InputError(f"{path}: is cut short: it holds less than its header says; get the file again")


def labels_beside(images: Path) -> Path | None:
    """The labels file that the standard naming puts beside an images file, or None if there is none."""
    for images_part, labels_part in NAMES.items():
        if images_part in images.name:
            plain = images.name.replace(images_part, labels_part).removesuffix(".gz")
            return find_idx(images.parent, plain)
    return None


def find_idx(folder: Path, name: str) -> Path | None:
    """`folder/name`, or its `.gz`, whichever exists (the plain one first), or None."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
