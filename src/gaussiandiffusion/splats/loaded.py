"""Sets that are in memory as a whole, as a `SetSource`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gaussiandiffusion.splats.formats import PART
from gaussiandiffusion.splats.storage import SplatFile


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
