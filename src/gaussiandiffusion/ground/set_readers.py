"""Which files of other systems hold sets, by suffix, and who reads them. Imports nothing.

A reader is named as "module:function" and imported when a file of its kind is opened, so that lower layers know no
upper ones, and an optional library is needed by its own files alone. The package names them when it is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

READERS: dict[str, str] = {}  # suffix -> "module:function" of (path, Reading) -> SetSource


def register(readers: Mapping[str, str]) -> None:
    """Name the readers of files with these suffixes."""
    READERS.update(readers)


def suffix_of(path: Path) -> str:
    """That of a file; of a folder, that of the set files in it, if they have one and there are no others; else ""."""
    if not path.is_dir():
        return path.suffix.lower()
    found = {file.suffix.lower() for file in path.iterdir() if file.suffix.lower() in READERS}
    return found.pop() if len(found) == 1 else ""
