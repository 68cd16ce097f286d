"""What files of sets of other systems do not say, as flags and settings. Imports no PyTorch."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.splats.set_source import Reading


@dataclass(frozen=True)
class SetFlags:
    """What a file of sets of another system does not say; our own files say all of it.

    Raises:
        InputError: a canvas that is none, or a kernel size below 2.
    """

    kernel_size: int | None = None
    """Of files of other systems: kernel size of the published drawing they were made for."""
    clamp: Literal["hard", "soft"] | None = None
    """Of files of other systems: how sums become pixels."""
    sets_canvas: str | None = None
    """Of files of other systems: the pictures' size in pixels, N or HxW."""
    values: Literal["raw", "final"] | None = None
    """Of files of other systems: numbers from before sigmoid and tanh, or as drawn."""
    labels: str | None = None
    """Of files of other systems: file with the index of each set's class (JSON, or one a line)."""

    def __post_init__(self) -> None:
        self._canvas()  # refuses what is none
        if self.kernel_size is not None and self.kernel_size < 2:
            raise InputError(f"--kernel-size must be at least 2, not {self.kernel_size}")

    def __bool__(self) -> bool:
        """Whether any is given."""
        return any(getattr(self, each.name) is not None for each in fields(self))

    def refuse(self, source: object, what: str) -> None:
        """Refuse what is said of a source that holds no sets of another system; raises InputError.

        Args:
            what: it holds.
        """
        if self:
            name = next(each.name for each in fields(self) if getattr(self, each.name) is not None)
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{source}: holds {what}; {flag} is said of files of sets, leave it out")

    def reading(self) -> Reading:
        """The same for `splats.formats`."""
        from gaussiandiffusion.splats.set_source import Reading  # imports PyTorch

        labels = None if self.labels is None else Path(self.labels)
        return Reading(self.kernel_size, self.clamp, self._canvas(), self.values, labels)

    def _canvas(self) -> tuple[int, int] | None:
        """(height, width) in pixels."""
        if self.sets_canvas is None:
            return None
        found = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", self.sets_canvas)
        if found is None:
            raise InputError(f"--sets-canvas must be N or HxW in pixels, such as 28 or 32x48, not {self.sets_canvas}")
        height, width = found[1], found[2] or found[1]
        return int(height), int(width)
