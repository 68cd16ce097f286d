"""What a reader of another system's file was told, as a history has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats.set_source import Reading


@dataclass(frozen=True)
class _Told:
    """A `Reading` in JSON values."""

    kernel_size: int | None = None
    clamp: Literal["hard", "soft"] | None = None
    canvas: tuple[int, int] | None = None
    values: Literal["final", "raw"] | None = None
    labels: str | None = None


def told_of(reading: Reading | None) -> dict[str, Any]:
    """What a reader was told, as JSON values."""
    values = asdict(reading or Reading())
    return {name: str(value) if isinstance(value, os.PathLike) else value
            for name, value in values.items() if value is not None}  # fmt: skip


def reading_of(told: Mapping[str, Any], where: str) -> Reading:
    """The same as a reader takes it; raises InputError for what is none, `where` says whose."""
    known: _Told = to_record(told, _Told, where)
    return Reading(**(asdict(known) | {"labels": Path(known.labels) if known.labels else None}))
