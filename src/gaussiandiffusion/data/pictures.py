"""Folders, zips and single files of pictures: listed at once, decoded one by one when asked for."""

from __future__ import annotations

import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from gaussiandiffusion.data.decoding import FORMATS, Convert, decode, is_picture
from gaussiandiffusion.data.image_set import CHANNELS
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

E = TypeVar("E")
Choose = Callable[[str], bool]

LARGEST_MEMBER = 1 << 29  # bytes of one picture file in a zip: far above any real one, below a memory bomb


def open_picture(path: Path, convert: Convert | None = None) -> ImageSource:
    """One picture file; of an animation the first frame.

    Args:
        convert: applied to the opened picture.

    Raises:
        InputError: see `decode`.
    """
    return open_pictures([path.name], str, lambda _: path.read_bytes(), str(path.parent), convert)


def open_folder(folder: Path, convert: Convert | None = None, choose: Choose = bool) -> ImageSource:
    """All pictures in a folder and below, in natural order; other files and hidden ones are passed over.

    Args:
        folder: searched to any depth.
        convert: applied to each opened picture.
        choose: of the pictures' names, which to take.

    Raises:
        InputError: see `open_pictures`.
    """
    names = []
    for root, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not _hidden(name)]
        below = Path(root).relative_to(folder).as_posix()
        prefix = "" if below == "." else f"{below}/"
        names += [prefix + name for name in files if is_picture(name) and not _hidden(name)]
    names = [name for name in names if choose(name)]
    return open_pictures(names, str, lambda name: Path(folder, name).read_bytes(), str(folder), convert)


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be read ({error.strerror or error})") from error


def open_zip(path: Path, convert: Convert | None = None, choose: Choose = bool) -> ImageSource:
    """All pictures in a zip, like a folder's; they are read in memory, nothing is ever unpacked to disk.

    Args:
        path: the zip.
        convert, choose: as for `open_folder`.

    Raises:
        InputError: not a sound zip, a locked one, or see `open_pictures`.
    """
    with _zip_errors(str(path)):
        archive = zipfile.ZipFile(path)  # stays open as long as the source lives
        members = []
        for info in archive.infolist():
            parts = _member_parts(info.filename)
            if info.is_dir() or not parts or not is_picture(parts[-1]) or any(map(_hidden, parts)):
                continue
            if info.file_size > LARGEST_MEMBER:
                raise InputError(f"{path}/{info.filename}: unpacks to {info.file_size} bytes; take it out of the zip")
            if choose("/".join(parts)):
                members.append(info)
        name = lambda info: "/".join(_member_parts(info.filename))  # noqa: E731 (one line says it)
        return open_pictures(members, name, archive.read, str(path), convert)


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


def open_pictures(
    entries: list[E], name: Callable[[E], str], read: Callable[[E], bytes], where: str, convert: Convert | None = None
) -> ImageSource:
    """Picture files as a source, in natural order of their names; only the first is read at once, for its size.

    Args:
        entries: what `name` and `read` know each picture by; sorted in place.
        name: its path below `where`, with `/` between the parts.
        read: its bytes; may raise OSError, zipfile.BadZipFile and the like.
        where: the folder or zip, for error sentences.
        convert: applied to each opened picture.

    Raises:
        InputError: no pictures; when they are read: they differ in size or colour kind, or see `decode`.
    """
    if not entries:
        raise InputError(f"{where}: holds no pictures ({', '.join(FORMATS)}); give another folder or zip")
    entries.sort(key=lambda entry: natural_key(name(entry)))

    def load(position: int) -> np.ndarray:
        entry = entries[position]
        address = f"{where}/{name(entry)}"
        return decode(_content(read, entry, address), address, convert)

    first = load(0)
    channels, height, width = first.shape

    def fetch(positions: np.ndarray) -> np.ndarray:
        pixels = _allocate(len(positions), first, where)
        for row, position in enumerate(positions):
            picture = load(int(position))
            if picture.shape != first.shape:
                raise _different(f"{where}/{name(entries[position])}", picture, f"{where}/{name(entries[0])}", first)
            pixels[row] = picture
        return pixels

    conditions = folder_classes([name(entry) for entry in entries])
    return ImageSource(len(entries), (height, width, channels), fetch, conditions, os.path.basename(where))


def _content(read: Callable[[E], bytes], entry: E, address: str) -> bytes:
    try:
        return read(entry)
    except OSError as error:
        raise InputError(f"{address}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # locked, damaged, packed in an unknown way
        raise InputError(f"{address}: cannot be read from its zip ({error}); make the zip again") from error


def _different(address: str, picture: np.ndarray, first_address: str, first: np.ndarray) -> InputError:
    if picture.shape[0] != first.shape[0]:
        return InputError(
            f"{address}: is {CHANNELS[picture.shape[0]]}, but {first_address} is {CHANNELS[first.shape[0]]}; "
            "convert one of them, or take it out"
        )
    return InputError(
        f"{address}: is {_size(picture)} pixels, but {first_address} is {_size(first)}; "
        "resize one of them, or take it out"
    )


def natural_key(path: str) -> tuple[tuple[str, str], ...]:
    """A sort key that puts `2.png` before `10.png`, folder by folder."""
    return tuple(_natural_part(part) for part in path.split("/"))


def _natural_part(part: str) -> tuple[str, str]:
    # Text and numbers alternate, and each text ends with a zero character: so equal places always compare, and the
    # shorter text comes first. A number is compared by its length, then its digits. All in one string, as a million
    # names are sorted in memory.
    pieces = re.split(r"([0-9]+)", part)
    key = pieces[0] + "\0"
    for number, text in zip(pieces[1::2], pieces[2::2], strict=True):
        digits = number.lstrip("0")
        key += f"{chr(len(digits) + 1)}{digits}{text}\0"
    return key, part


def folder_classes(paths: list[str]) -> ConditionColumns | None:
    """Classes from folder names.

    If every picture's own folder is called by a whole number, that is its class, wherever the folder lies. Otherwise,
    if (below what all paths share) the pictures lie in one level of class folders, at least two, it is that folder.
    Otherwise there are none. Classes are counted in natural order of the folders' names, which are theirs.

    Args:
        paths: with `/` between folders.
    """
    parents = [path.rpartition("/")[0] for path in paths]
    folders = {parent: parent.split("/") if parent else [] for parent in parents}
    if all(parts and re.fullmatch(r"[0-9]{1,18}", parts[-1]) for parts in folders.values()):
        own = {parent: str(int(parts[-1])) for parent, parts in folders.items()}
    else:
        shared = 0
        for level in zip(*folders.values(), strict=False):
            if len(set(level)) > 1:
                break
            shared += 1
        if any(len(parts) != shared + 1 for parts in folders.values()):
            return None
        # Some systems take names apart, letters from accents; a user types them whole.
        own = {parent: unicodedata.normalize("NFC", parts[-1]) for parent, parts in folders.items()}
    names = sorted(set(own.values()), key=natural_key)
    place = {name: index for index, name in enumerate(names)}
    return ConditionColumns.of_labels(np.array([place[own[parent]] for parent in parents]), names)


def _allocate(count: int, first: np.ndarray, where: str) -> np.ndarray:
    try:
        return np.empty((count, *first.shape), np.uint8)
    except (MemoryError, ValueError):
        raise InputError(
            f"{where}: {count} pictures of {_size(first)} pixels do not fit into memory; use --limit"
        ) from None


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[2]}x{pixels.shape[1]}"  # width first, as picture programs say it
