"""Folders, zips and single files of pictures: listed at once, decoded one by one when asked for."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from gaussiandiffusion.data.decoding import FORMATS, Convert, decode, is_picture
from gaussiandiffusion.data.listing import LARGEST_FILE, content_of, hidden, picture_names
from gaussiandiffusion.data.mixture import mixture
from gaussiandiffusion.data.paths import Describe, find_split, folder_classes, natural_key
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.errors import InputError

E = TypeVar("E")
Choose = Callable[[str], bool]

# Pictures are packed already; a large member that packs this well in a zip is made to fill memory.
LARGE_MEMBER, LARGEST_RATIO = 64 << 20, 100


def open_picture(path: Path, convert: Convert | None = None) -> ImageSource:
    """One picture file; of an animation the first frame.

    Args:
        convert: applied to the opened picture.

    Raises:
        InputError: see `decode`.
    """
    return open_pictures([path.name], str, lambda _: content_of(path), str(path.parent), convert)


def open_folder(
    folder: Path,
    convert: Convert | None = None,
    choose: Choose = bool,
    split: str | None = None,
    describe: Describe = folder_classes,
) -> ImageSource:
    """All pictures in a folder and below (see `picture_names`), in natural order.

    Args:
        folder: searched to any depth.
        convert: applied to each opened picture.
        choose: of the pictures' names, which to take.
        split: "train" or "test": what to take where the folder has sub-folders of these names; None: all.
        describe: the pictures' conditions from their names; of splits, these are their classes.

    Raises:
        InputError: see `open_pictures`.
    """
    names = [name for name in picture_names(folder) if choose(name)]
    return open_pictures(names, str, lambda name: content_of(Path(folder, name)), str(folder), convert, split, describe)


def open_zip(
    path: Path,
    convert: Convert | None = None,
    choose: Choose = bool,
    split: str | None = None,
    describe: Describe = folder_classes,
) -> ImageSource:
    """All pictures in a zip, like a folder's; each is read in memory when asked for, none is unpacked to disk.

    Args:
        path: the zip.
        convert, choose, split, describe: as for `open_folder`.

    Raises:
        InputError: not a sound zip, a locked one, one made to fill memory, or see `open_pictures`.
    """
    with _zip_errors(str(path)):
        archive = zipfile.ZipFile(path)  # stays open as long as the source lives
        members = []
        for info in archive.infolist():
            parts = _member_parts(info.filename)
            if info.is_dir() or not parts or not is_picture(parts[-1]) or any(map(hidden, parts)):
                continue
            large = info.file_size > LARGE_MEMBER and info.file_size > LARGEST_RATIO * info.compress_size
            if large or info.file_size > LARGEST_FILE:
                raise InputError(
                    f"{path}/{info.filename}: unpacks from {info.compress_size} to {info.file_size} bytes, as no "
                    "picture does; take it out of the zip"
                )
            if choose("/".join(parts)):
                members.append(info)
        name = lambda info: "/".join(_member_parts(info.filename))  # noqa: E731 (one line says it)
        return open_pictures(members, name, archive.read, str(path), convert, split, describe)


@contextmanager
def _zip_errors(where: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # damaged zips make zipfile raise nearly anything
        raise InputError(
            f"{where}: is not a sound zip archive, or only a part of one ({error}); make or get it again"
        ) from error


def _member_parts(name: str) -> tuple[str, ...]:
    """The parts of a zip member's name, without those that would climb out of a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return tuple(part for part in parts if part not in ("/", "//", ".", ".."))


def open_pictures(
    entries: list[E],
    name: Callable[[E], str],
    read: Callable[[E], bytes],
    where: str,
    convert: Convert | None = None,
    split: str | None = None,
    describe: Describe = folder_classes,
) -> ImageSource:
    """Picture files as a source, in natural order of their names; only the first is read at once, for its size.

    Args:
        entries: what `name` and `read` know each picture by.
        name: its path below `where`, with `/` between the parts.
        read: its bytes; may raise OSError, zipfile.BadZipFile and the like.
        where: the folder or zip, for error sentences.
        convert: applied to each opened picture.
        split: which to take, where the pictures lie in sub-folders of splits (see `find_split`); None: all.
        describe: paths below `where` -> conditions.

    Raises:
        InputError: no pictures, or see `find_split`; when they are read: they differ in size or colour kind, or see
            `decode`.
    """
    found = None if split is None else find_split([name(entry) for entry in entries], split, where)
    if found is not None:
        entries = [entry for entry in entries if name(entry).startswith(found.prefix)]
    if not entries:
        raise InputError(f"{where}: holds no pictures ({', '.join(FORMATS)}); give another folder or zip")
    entries = sorted(entries, key=lambda entry: natural_key(name(entry)))

    def content(entry: E) -> tuple[str, bytes]:
        address = f"{where}/{name(entry)}"
        return address, _content(read, entry, address)

    def load(position: int) -> np.ndarray:
        address, packed = content(entries[position])
        return decode(packed, address, convert)

    first = load(0)
    channels, height, width = first.shape

    def fetch(positions: np.ndarray) -> np.ndarray:
        pixels = _allocate(len(positions), first, where)
        for row, position in enumerate(positions):
            picture = load(int(position))
            if picture.shape != first.shape:
                sizes, kinds = picture.shape[1:] != first.shape[1:], len(picture) != len(first)
                every = convert is None
                packed = ((name(entry), content(entry)[1]) for entry in entries)
                raise mixture(where, packed, sizes=sizes or every, kinds=kinds or every)
            pixels[row] = picture
        return pixels

    conditions = (describe if found is None else found.describe)([name(entry) for entry in entries])
    return ImageSource(
        len(entries),
        (height, width, channels),
        fetch,
        conditions,
        os.path.basename(where),
        None if found is None else split,
    )


def _content(read: Callable[[E], bytes], entry: E, address: str) -> bytes:
    try:
        return read(entry)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{address}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # locked, damaged, packed in an unknown way
        raise InputError(f"{address}: cannot be read from its zip ({error}); make the zip again") from error


def _allocate(count: int, first: np.ndarray, where: str) -> np.ndarray:
    try:
        return np.empty((count, *first.shape), np.uint8)
    except (MemoryError, ValueError):
        raise InputError(
            f"{where}: {count} pictures of {first.shape[2]}x{first.shape[1]} pixels do not fit into memory; use --limit"
        ) from None
