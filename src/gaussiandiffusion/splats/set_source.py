"""What every reader of sets gives, and what it may be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats.storage import SplatFile

PART = 1024  # sets read at once


@dataclass(frozen=True)
class Reading:
    """What files of other systems do not say. None: guessed where it can be told, else the usual of the kind.

    Attributes:
        kernel_size: of the published drawing, which picks its path.
        clamp: how sums become pixels, "hard" to [0, 1] or "soft".
        canvas: (height, width) of the pictures.
        values: whether numbers are as drawn or from before sigmoid and tanh.
        labels: file with the index of each set's class: JSON, or text with one a line.
    """

    kernel_size: int | None = None
    clamp: Literal["hard", "soft"] | None = None
    canvas: tuple[int, int] | None = None
    values: Literal["final", "raw"] | None = None
    labels: Path | None = None

    def refuse(self, path: Path, kind: str, *but: str) -> None:
        """Refuse what is told of a file that says it itself, or to which it does not apply.

        Args:
            path: the file.
            kind: what it is, in words.
            but: what it may be told.

        Raises:
            InputError: it is told something else.
        """
        told = {"canvas": "sets_canvas"}
        given = [each.name for each in fields(self) if getattr(self, each.name) is not None and each.name not in but]
        if given:
            flags = ", ".join(f"--{told.get(name, name).replace('_', '-')}" for name in given)
            raise InputError(f"{path}: is a {kind}, of which {flags} cannot be said: it is drawn in one way; "
                             "leave that out")  # fmt: skip


@runtime_checkable
class SetSource(Protocol):
    """An opened file, or folder, of sets.

    Attributes:
        kind: what it is, in words.
        notes: what was guessed, and what was left out and why; complete once all parts are read.
    """

    kind: str

    @property
    def notes(self) -> list[str]: ...

    def __len__(self) -> int:
        """Sets there are; fewer may come, where some are not sound."""

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        """The sets in order, at most `size` at once, all of one K and canvas."""


@dataclass
class Loaded:
    """The sets of a file that was read at once."""

    file: SplatFile
    kind: str
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.file.splats)

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        for start in range(0, len(self), size):
            yield self.file[start : start + size]
