"""Which pictures lie in a folder, and their bytes: of regular files only, so that nothing is ever waited for."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from pathlib import Path

from gaussiandiffusion.data.decoding import is_picture
from gaussiandiffusion.ground.errors import InputError

LARGEST_FILE = 1 << 29  # bytes of one picture file: far above any real one, below what fills memory


def picture_names(folder: Path) -> list[str]:
    """Paths below `folder` of all pictures in it, to any depth, with `/` between folders.

    Passed over: other files by their endings, hidden ones, and pipes, sockets and devices, whatever they are called.
    Links to folders are followed, but not upwards, and every folder is gone through once: so links in circles end.

    Raises:
        InputError: a folder cannot be read.
    """
    names: list[str] = []
    waiting, seen = deque([("", os.fspath(folder))]), _above(folder)
    while waiting:
        prefix, place = waiting.pop()
        try:
            if (own := _identity(place)) in seen:
                continue
            seen.add(own)
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"{place}: cannot be read ({error.strerror or error})") from error
        for entry in entries:
            if hidden(entry.name):
                continue
            kind = _kind(entry)
            if kind == stat.S_IFDIR:
                # Links last: where a folder and a link to it both lie here, the folder's own name counts.
                (waiting.appendleft if entry.is_symlink() else waiting.append)((f"{prefix}{entry.name}/", entry.path))
            elif is_picture(entry.name) and kind in (stat.S_IFREG, None):
                names.append(prefix + entry.name)
    return names


def _above(folder: Path) -> set[tuple[int, int]]:
    found = set()
    for parent in folder.resolve().parents:
        with contextlib.suppress(OSError):  # not every folder above can be looked at
            found.add(_identity(parent))
    return found


def _identity(folder: str | Path) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _kind(entry: os.DirEntry[str]) -> int | None:
    """What an entry is, or what a link leads to; None where it leads nowhere, which is told when it is read."""
    try:
        return stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return None


def hidden(name: str) -> bool:
    """Whether a file or folder of that name is none of the user's pictures."""
    return name.startswith(".") or name == "__MACOSX"


def content_of(path: Path) -> bytes:
    """All bytes of a regular file.

    Raises:
        OSError: it cannot be read.
        InputError: it is no regular file, or larger than any picture.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is no regular file; take it out")
        if status.st_size > LARGEST_FILE:
            raise InputError(f"{path}: has {status.st_size} bytes, more than any picture; take it out")
        return file.read()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait for its writer
