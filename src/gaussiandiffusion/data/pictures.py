"""Folders, zips and single files of pictures, decoded one by one into one array."""

from __future__ import annotations

import io
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from gaussiandiffusion.data.images import CHANNELS
from gaussiandiffusion.errors import InputError

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF"}
MODE_OF = {1: "L", 3: "RGB", 4: "RGBA"}
LARGEST_MEMBER = 1 << 29  # bytes of one picture file in a zip: far above any real one, below a memory bomb
PNG_DEPTH_AT = 24  # offset of the bit depth in a PNG file


@dataclass(frozen=True)
class Picture:
    """A picture file not yet read.

    Args:
        path: below the folder or zip, as parts; its last part is the file name.
        where: the whole address, for error sentences.
        read: gives the file's bytes; may raise OSError, zipfile.BadZipFile and the like.
    """

    path: tuple[str, ...]
    where: str
    read: Callable[[], bytes]


def is_picture(name: str) -> bool:
    """Whether the name ends like a picture's."""
    return os.path.splitext(name)[1].lower() in FORMATS


def read_picture_file(path: Path) -> np.ndarray:
    """One picture file as uint8 [1, C, H, W]; of an animation the first frame.

    Raises:
        InputError: see `decode`.
    """
    return decode_all([Picture((path.name,), str(path), path.read_bytes)])


def read_folder(folder: Path, limit: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    """All pictures in a folder and below, in natural order; other files and hidden ones are passed over.

    Returns:
        uint8 [N, C, H, W]; int64 [N] or None (see `folder_labels`).

    Raises:
        InputError: no pictures, or see `decode_all`.
    """
    pictures = []
    for root, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not _hidden(name)]
        for name in files:
            path = Path(root, name)
            if is_picture(name) and not _hidden(name):
                pictures.append(Picture(path.relative_to(folder).parts, str(path), path.read_bytes))
    return _decode_sorted(pictures, str(folder), limit)


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be read ({error.strerror or error})") from error


def read_zip(path: Path, limit: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    """All pictures in a zip, like a folder's; they are read in memory, nothing is ever unpacked to disk.

    Raises:
        InputError: not a sound zip, a locked one, no pictures, or see `decode_all`.
    """
    with _zip_errors(str(path)), zipfile.ZipFile(path) as archive:
        pictures = []
        for info in archive.infolist():
            parts = _member_parts(info.filename)
            if info.is_dir() or not parts or not is_picture(parts[-1]) or any(map(_hidden, parts)):
                continue
            if info.file_size > LARGEST_MEMBER:
                raise InputError(f"{path}/{info.filename}: unpacks to {info.file_size} bytes; take it out of the zip")
            pictures.append(Picture(parts, f"{path}/{info.filename}", lambda info=info: archive.read(info)))
        return _decode_sorted(pictures, str(path), limit)


@contextmanager
def _zip_errors(where: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # damaged zips make zipfile raise nearly anything
        raise InputError(f"{where}: is not a sound zip archive ({error}); make or get it again") from error


def _member_parts(name: str) -> tuple[str, ...]:
    """The parts of a zip member's name, without those that would climb out of a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return tuple(part for part in parts if part not in ("/", "//", ".", ".."))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _decode_sorted(pictures: list[Picture], where: str, limit: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    if not pictures:
        raise InputError(f"{where}: holds no pictures ({', '.join(FORMATS)}); give another folder or zip")
    pictures.sort(key=lambda picture: natural_key(picture.path))
    labels = folder_labels([picture.path for picture in pictures])  # of all: `limit` must not renumber the classes
    images = decode_all(pictures[:limit])
    return images, None if labels is None else labels[:limit]


def natural_key(path: tuple[str, ...]) -> tuple:
    """A sort key that puts `2.png` before `10.png`, folder by folder."""
    return tuple(_natural_part(part) for part in path)


def _natural_part(part: str) -> tuple:
    # Split on numbers: even places are text, odd ones numbers, so equal places always compare. A number is
    # compared by length, then digits: int() refuses very long ones.
    pieces = re.split(r"([0-9]+)", part)
    numbers = [(len(piece.lstrip("0")), piece.lstrip("0")) for piece in pieces[1::2]]
    key: list[object] = [None] * len(pieces)
    key[0::2], key[1::2] = pieces[0::2], numbers
    return tuple(key), part


def folder_labels(paths: list[tuple[str, ...]]) -> np.ndarray | None:
    """Labels from folder names.

    If every picture's own folder is called by a whole number, that number is its label. Otherwise, if
    (below what all paths share) the pictures lie in one level of class folders, at least two, it is the
    place of that folder in natural order. Otherwise there are none.

    Returns:
        int64 [N], >= 0, or None.
    """
    if all(len(path) > 1 and re.fullmatch(r"[0-9]{1,18}", path[-2]) for path in paths):
        return np.array([int(path[-2]) for path in paths], np.int64)
    parents = [path[:-1] for path in paths]
    shared = 0  # what the first and the last of them share, all do
    for low, high in zip(min(parents), max(parents), strict=False):
        if low != high:
            break
        shared += 1
    classes = [parent[shared:] for parent in parents]
    if any(len(path) != 1 for path in classes):
        return None
    place = {folder: index for index, folder in enumerate(sorted(set(classes), key=natural_key))}
    return np.array([place[folder] for folder in classes], np.int64)


def decode_all(pictures: list[Picture]) -> np.ndarray:
    """Decode pictures one after another into one array.

    Returns:
        uint8 [N, C, H, W].

    Raises:
        InputError: they differ in size or colour kind, do not fit into memory, or see `decode`.
    """
    images = np.empty(0, np.uint8)
    for index, picture in enumerate(pictures):
        pixels = decode(picture)
        if index == 0:
            images = _allocate(len(pictures), pixels, picture)
        if pixels.shape[0] != images.shape[1]:
            raise InputError(
                f"{picture.where}: is {CHANNELS[pixels.shape[0]]}, but {pictures[0].where} is "
                f"{CHANNELS[images.shape[1]]}; convert one of them, or take it out"
            )
        if pixels.shape != images.shape[1:]:
            raise InputError(
                f"{picture.where}: is {_size(pixels)} pixels, but {pictures[0].where} is {_size(images[0])}; "
                "resize one of them, or take it out"
            )
        images[index] = pixels
    return images


def _allocate(count: int, first: np.ndarray, picture: Picture) -> np.ndarray:
    try:
        return np.empty((count, *first.shape), np.uint8)
    except (MemoryError, ValueError):
        raise InputError(
            f"{picture.where}: {count} pictures of {_size(first)} pixels do not fit into memory; use --limit"
        ) from None


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[2]}x{pixels.shape[1]}"  # width first, as picture programs say it


def decode(picture: Picture) -> np.ndarray:
    """Decode one picture, turned upright if its camera says so; of an animation the first frame.

    Grey stays grey; palettes become RGB; anything with transparency becomes RGBA.

    Returns:
        uint8 [C, H, W].

    Raises:
        InputError: unreadable, cut short, another format than its name says, too large, or 16 bits a channel.
    """
    try:
        content = picture.read()
    except OSError as error:
        raise InputError(f"{picture.where}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # locked, damaged, packed in an unknown way
        raise InputError(f"{picture.where}: cannot be read from its zip ({error}); make the zip again") from error
    named = FORMATS[os.path.splitext(picture.path[-1])[1].lower()]
    if not content:
        raise InputError(f"{picture.where}: is empty; get the file again, or take it out")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=sorted(set(FORMATS.values()))) as image:
                found = "JPEG" if image.format == "MPO" else image.format  # MPO: a JPEG with a preview behind it
                if found != named:
                    raise InputError(f"{picture.where}: is really a {found} file; rename it to .{str(found).lower()}")
                _check_depth(image, content, picture.where)
                return to_pixels(ImageOps.exif_transpose(image), picture.where)
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(f"{picture.where}: is not a {named} file; get it again, or take it out") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise InputError(f"{picture.where}: has too many pixels; make it smaller") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise InputError(f"{picture.where}: is damaged or cut short ({error}); get the file again") from error


def to_pixels(image: Image.Image, where: str) -> np.ndarray:
    """An opened picture as uint8 [C, H, W]; kinds of colour as `decode` has them.

    Raises:
        InputError: more than 8 bits a channel.
    """
    if image.mode[0] in "IF":
        raise _too_deep(where)
    pixels = np.asarray(image.convert(MODE_OF[_channels(image)]))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _check_depth(image: Image.Image, content: bytes, where: str) -> None:
    # Pillow quietly drops the lower byte of 16-bit colour PNGs, hence the look into the file itself.
    if image.format == "PNG" and content[PNG_DEPTH_AT] == 16:
        raise _too_deep(where)


def _too_deep(where: str) -> InputError:
    return InputError(f"{where}: has more than 8 bits a channel; convert it to 8 bits first")


def _channels(image: Image.Image) -> int:
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in ("1", "L") else 3
