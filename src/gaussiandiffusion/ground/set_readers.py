"""Which files of other systems hold sets, by suffix, and who reads them. Imports nothing.

A reader is named as "module:function" and imported when a file of its kind is opened, so that lower layers know no
upper ones, and an optional library is needed by its own files alone. The package names them when it is imported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

READERS: dict[str, str] = {}  # suffix -> "module:function" of (path, Reading) -> SetSource
ONE_SET_FILES: set[str] = set()  # suffixes of files of which a folder is one data set


def register(readers: Mapping[str, str], one_set_files: Collection[str] = ()) -> None:
    """Name the readers of files with these suffixes.

    Args:
        one_set_files: those of them whose reader takes a folder of such files too.
    """
    READERS.update(readers)
    ONE_SET_FILES.update(one_set_files)


def suffix_of(path: Path) -> str:
    """That of a file; of a folder, that of the files in it of which it is one data set; else ""."""
    if not path.is_dir():
        return path.suffix.lower()
    inside = (file for file in path.iterdir() if not file.name.startswith("."))  # as macOS strews about
    found = {file.suffix.lower() for file in inside if not file.is_dir()} & ONE_SET_FILES
    return found.pop() if len(found) == 1 else ""
