"""Images in NumPy's .npz archives."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gaussiandiffusion.data.image_set import CHANNELS
from gaussiandiffusion.data.mapped import HELD, array_source, mapped, unpacked
from gaussiandiffusion.data.sheets import open_sheets
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

LAYOUTS = "[H, W], [N, H, W], [N, H, W, C] or [N, C, H, W] with C = 1, 3 or 4"
LARGEST_HELD = 1 << 30  # bytes of labels and small images: more is no such file, but one made to fill memory
CHUNK = 1024  # images converted at a time, so that floats never exist twice


def open_npz(path: Path, limit: int | None = None) -> ImageSource:
    """Open `images` (or `x`, or the only array) and, if there are any, `labels` (or `y`).

    A large array stays in the file, or is unpacked beside memory, until images of it are asked for.

    Args:
        limit: only the first so many images, and of a large array no more is unpacked than these.

    Raises:
        InputError: not an .npz, needs pickle, no such array, or values that are no images or labels (values of
            images: when they are read).
    """
    try:
        _check_magic(path)
        with np.load(path, allow_pickle=False) as archive:
            if {"webp", "offsets"} <= set(archive.files):
                return open_sheets([path])
            image_key, label_key = _keys(archive.files, path)
            labels = _held(archive, label_key) if label_key else None
            images, total = _open_array(archive, image_key, path, limit)
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path}: does not fit into memory; split it into smaller files") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # damaged zips and headers make NumPy raise nearly anything
        raise InputError(
            f"{path}: is no sound .npz file of plain arrays ({error}); save it again with numpy.savez"
        ) from error
    where = f"{path}: {image_key!r}"
    count = len(to_nchw(images(), where))
    conditions = None
    if labels is not None:
        labels = to_labels(labels, count if total is None else total, f"{path}: {label_key!r}")
        conditions = ConditionColumns.of_labels(labels).take(slice(count))
    source = array_source(
        lambda: to_nchw(images(), where),
        lambda part: quantised(part, where),
        conditions,
        path.name,
    )
    return source.limit(limit)


def _open_array(archive: Any, key: str, path: Path, limit: int | None) -> tuple[Callable[[], np.ndarray], int | None]:
    """The array, or its first `limit` rows, and in that case of how many."""
    info = _member(archive, key)
    if info.file_size <= HELD:
        array = _held(archive, key)
        return lambda: array, None
    with archive.zip.open(info) as member:
        version = np.lib.format.read_magic(member)
        read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
        shape, fortran, dtype = read_header(member)
        if dtype.hasobject:
            raise InputError(f"{path}: {key!r} needs pickle, which is never opened; save plain arrays")
        order = "F" if fortran else "C"
        if info.compress_type == zipfile.ZIP_STORED:  # then the array lies in the file as it is
            offset = _content_at(path, info) + member.tell()
            return mapped(path, path, shape, dtype=dtype, offset=offset, order=order), None
        total = None
        if limit is not None and not fortran and len(shape) > 2 and limit < shape[0]:
            total, shape = shape[0], (limit, *shape[1:])
        length = math.prod(shape) * dtype.itemsize
        return mapped(unpacked(member, path, length, info.compress_size), path, shape, dtype=dtype, order=order), total


def _member(archive: Any, key: str) -> zipfile.ZipInfo:
    return next(info for info in archive.zip.infolist() if info.filename.removesuffix(".npy") == key)


def _held(archive: Any, key: str) -> np.ndarray:
    if (size := _member(archive, key).file_size) > LARGEST_HELD:
        raise ValueError(f"{key} unpacks to {size} bytes")
    array = archive[key]
    if not isinstance(array, np.ndarray):  # a member that does not begin as an array does comes as bytes
        raise ValueError(f"{key} is no array")
    return array


def _content_at(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: behind its local header, whose name and extra field vary in length."""
    with open(path, "rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return info.header_offset + 30 + name + extra


def _check_magic(path: Path) -> None:
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic == b"\x93NUMPY":
        raise InputError(f"{path}: is a lone .npy array; save it with numpy.savez(FILE, images=array)")
    if magic[:2] != b"PK":
        raise InputError(f"{path}: is not an .npz file; save the arrays with numpy.savez")


def _keys(names: list[str], path: Path) -> tuple[str, str | None]:
    """The names of the image array and the label array."""
    label_key = _first(("labels", "y"), names)
    image_key = _first(("images", "x"), names)
    others = [name for name in names if name != label_key]
    if image_key is None and len(others) == 1:
        image_key = others[0]
    if image_key is None:
        held = ", ".join(names) or "nothing"
        raise InputError(f"{path}: holds {held}; name the array of images 'images' (and labels 'labels')")
    return image_key, label_key


def _first(wanted: Iterable[str], names: list[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def to_nchw(array: np.ndarray, where: str) -> np.ndarray:
    """Bring images into one layout; the dtype stays.

    Args:
        array: [H, W], [N, H, W], [N, H, W, C] or [N, C, H, W] with C = 1, 3 or 4.

    Returns:
        A view, [N, C, H, W].

    Raises:
        InputError: another shape, an empty one, or one that can be read in two ways.
    """
    shape = list(array.shape)
    if array.ndim not in (2, 3, 4):
        raise InputError(f"{where} has shape {shape}; images are {LAYOUTS}")
    if not array.size:
        raise InputError(f"{where} holds no pixels (shape {shape}); give a file with images")
    if array.ndim == 2:
        return array[None, None]
    if array.ndim == 3:
        if shape[-1] in CHANNELS:
            raise InputError(f"{where} has shape {shape}, one colour image or many narrow grey ones; add an axis")
        return array[:, None]
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first and last:
        raise InputError(f"{where} has shape {shape}, and either axis 1 or axis 3 may be colour; use larger images")
    if not first and not last:
        raise InputError(f"{where} has shape {shape}, and no axis of it is 1, 3 or 4 channels; images are {LAYOUTS}")
    return array if first else array.transpose(0, 3, 1, 2)


def quantised(images: np.ndarray, where: str) -> np.ndarray:
    """Bring images to uint8, 0 to 255.

    Args:
        images: [N, C, H, W], uint8, or any float in [0, 1].

    Returns:
        uint8 [N, C, H, W], contiguous; floats rounded to the nearest level.

    Raises:
        InputError: another dtype; a float that is not finite or not in [0, 1].
    """
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype.kind != "f":
        raise InputError(f"{where} is {images.dtype}; images are uint8, or float in [0, 1]")
    out = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        low, high = float(part.min()), float(part.max())  # NaN if any is
        if not (low >= 0 and high <= 1):
            raise InputError(f"{where} holds {_culprit(low, high)}; float images lie in [0, 1]: rescale, or save uint8")
        wide = part.astype(np.promote_types(part.dtype, np.float32), copy=False)
        out[start : start + CHUNK] = np.rint(wide * 255)
    return out


def _culprit(low: float, high: float) -> str:
    if np.isnan(low):
        return "NaN"
    return f"{low:.6g}" if low < 0 else f"{high:.6g}"


def to_labels(labels: np.ndarray, count: int, where: str) -> np.ndarray:
    """Bring labels to int64 [N].

    Args:
        labels: any integers >= 0, [N] or [N, 1].
        count: N, the number of images.

    Raises:
        InputError: not integers, negative or beyond int64, or not one for each image.
    """
    if labels.dtype.kind not in "iu":
        raise InputError(f"{where} is {labels.dtype}; labels are integers: save them as int64")
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise InputError(f"{where} has shape {list(labels.shape)}; there must be one label for each of {count} images")
    if int(labels.min()) < 0 or int(labels.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{where} lies between {labels.min()} and {labels.max()}; labels are 0, 1, 2, ...")
    return labels.astype(np.int64)
