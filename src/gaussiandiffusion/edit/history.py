"""The history of an edited file: the file it was made from and every edit since, kept in its header.

`record` adds edits to a header, `begin` names the file that they begin with. `source["sets"]` of an edited file is a
`FileMark` of the sets as they were before the first edit, however often the file was edited since.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats.edits import Edit, FileMark
from gaussiandiffusion.splats.storage import Header

__all__ = ["Edit", "FileMark", "begin", "file_sha256", "find", "mark", "mark_model", "origin", "record"]

SETS, READING = "sets", "reading"  # keys of a header's `source`


def record(header: Header, *edits: Edit) -> Header:
    """The header with edits added to its history."""
    return replace(header, edits=[*(header.edits or []), *edits])


def begin(header: Header, file: Path, out: Path, reading: Mapping[str, Any] | None = None) -> Header:
    """The header of sets that were read from `file` and are to be edited and written to `out`.

    Args:
        header: as it was read.
        file: a file of sets, or a folder of them.
        out: the file to be written; `file` is named as seen from its folder.
        reading: what had to be told of a file of another system, by the names of the flags.

    Returns:
        With `file` as its origin; a header with a history keeps its own, named anew.
    """
    if header.edits is None:
        source = dict(header.source) | {SETS: asdict(mark(file, out))}
        if reading:
            source[READING] = dict(reading)
        return replace(header, source=source)
    first = Path(os.path.abspath(file)).parent
    source = dict(header.source)
    if SETS in source:
        source[SETS] = asdict(_moved(origin(header, file), first, out))
    edits = [
        replace(edit, files={name: _moved(each, first, out) for name, each in edit.files.items()})
        for edit in header.edits
    ]
    return replace(header, source=source, edits=edits)


def origin(header: Header, path: Path) -> FileMark:
    """The file that the history of a header begins with.

    Raises:
        InputError: it has none; `path` is the file whose header it is.
    """
    if header.edits is None or SETS not in header.source:
        raise InputError(f"{path}: has no history; `gaussiandiffusion edit` writes files that have")
    return to_record(header.source[SETS], FileMark, f"{path}: the header's source.sets")


def mark(file: Path, out: Path) -> FileMark:
    """A file or folder as the header of `out` names it; raises InputError where it cannot be read."""
    return FileMark(_seen_from(file, out), file_sha256(file))


def mark_model(name: str, weights: str, out: Path) -> dict[str, FileMark]:
    """Where the folder of a model lies as the header of `out` names it, by its name; nothing of other models.

    Args:
        weights: SHA-256 of its weights, which stands for that of the folder.
    """
    return {name: FileMark(_seen_from(Path(name), out), weights)} if Path(name).is_dir() else {}


def find(wanted: FileMark, beside: Path, given: Path | None = None, flag: str = "--source") -> Path:
    """The file that a history names, with the bytes it had.

    Args:
        wanted: its mark.
        beside: the file whose header names it.
        given: where to look instead, or a folder that it lies in.
        flag: by which another place can be given.

    Raises:
        InputError: it is not there, or holds something else now.
    """
    path = Path(os.path.normpath(beside.parent / wanted.path)) if given is None else given
    if given is None and not _there(path):
        near = beside.parent / path.name
        path = near if _there(near) and near != beside else path
    elif given is not None and _there(given / Path(wanted.path).name):
        path = given / Path(wanted.path).name
    if not _there(path):
        raise InputError(f"{path}: is what {beside} was made from, and is not there; give its place by {flag}")
    if file_sha256(path) != wanted.sha256:
        raise InputError(
            f"{path}: is not what {beside} was made from, its SHA-256 is not {wanted.sha256[:12]}...; "
            f"give the file as it was by {flag}"
        )
    return path


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, of the files in it, sorted, hidden ones left out."""
    if not _there(path):
        raise InputError(f"{path}: no such file or folder")
    try:
        if not path.is_dir():
            with open(path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for each in _files(path):
            digest.update(f"{each.name} {file_sha256(each)}\n".encode())
        return digest.hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _there(path: Path) -> bool:
    """Whether it is a file or a folder: no device, which may have no end, and no name that the system does not take."""
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))


def _moved(old: FileMark, folder: Path, out: Path) -> FileMark:
    return replace(old, path=_seen_from(folder / old.path, out))


def _seen_from(file: Path, out: Path) -> str:
    try:
        return Path(os.path.relpath(file, out.absolute().parent)).as_posix()
    except ValueError:  # on another drive
        return file.absolute().as_posix()
