"""A figure beside its ceiling: what was measured, and the best that the device's own rates allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.gpu.deadline import Deadline, TimeUp


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: within its section.
        value, unit: what was measured.
        rate: more is better; otherwise less is.
        ceiling: the best value that the device's measured rates allow, in the same unit; None: it is a ceiling itself,
            or none is known.
        limit: what sets the ceiling.
        target: what the project wants; None: nothing.
        detail: further values for the record.
    """

    name: str
    value: float
    unit: str
    rate: bool = False
    ceiling: float | None = None
    limit: str = ""
    target: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.value < math.inf:
            raise ValueError(f"{self.name}: measured {self.value} {self.unit}")

    @property
    def share(self) -> float | None:
        """Of the ceiling that is reached: 1 is the best."""
        if not self.ceiling or not self.value:
            return None
        return self.value / self.ceiling if self.rate else self.ceiling / self.value

    @property
    def met(self) -> bool | None:
        """Whether the target is."""
        if self.target is None:
            return None
        return self.value >= self.target if self.rate else self.value <= self.target

    def to_dict(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "name": self.name, "value": self.value, "unit": self.unit, "better": "more" if self.rate else "less",
            "ceiling": self.ceiling, "limit": self.limit, "share": self.share, "target": self.target, "met": self.met,
            "detail": self.detail,
        }  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """What was not measured, and why."""

    name: str
    reason: str


Entry = Figure | LeftOut


def each(works: Iterable[tuple[str, Callable[[], Iterable[Entry]]]], deadline: Deadline) -> Iterator[Entry]:
    """What works yield, one after another: one that fails, or takes too long, does not end the others."""
    for name, work in works:
        if deadline.over:
            yield LeftOut(name, "no time was left for it")
            continue
        try:
            yield from work()
        except TimeUp:
            yield LeftOut(name, "it took longer than was left for it")
        except Exception as error:  # whatever PyTorch, CUDA or a compiler raise
            yield LeftOut(name, sentence(error))


def sentence(error: BaseException) -> str:
    """An error in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
