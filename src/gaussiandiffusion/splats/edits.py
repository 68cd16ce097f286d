"""What was done to the sets of a file since they were made, as its header tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileMark:
    """Where a file lay, and what was in it.

    Attributes:
        path: seen from the folder of the file that tells of it, with forward slashes.
        sha256: of its bytes; of a folder, of its files' names and sums; of a model's folder, of its weights.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class Edit:
    """One edit of all sets of a file.

    Attributes:
        verb: of the command line that made it: "edit", or one that edits by a model.
        values: what it was told, as JSON values; of the verb "edit", `op` is the operation's name.
        where: the selection it was kept to, in the language of `edit.expressions`; None: all splats.
        files: that it read, by the name they were given.
    """

    verb: str
    values: dict[str, Any] = field(default_factory=dict)
    where: str | None = None
    files: dict[str, FileMark] = field(default_factory=dict)
