"""Which animations a sheet shows: a row for each action and direction, of the frames that the model knows of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gaussiandiffusion.ground.attributes import ConditionSpec, Value
from gaussiandiffusion.ground.combinations import come_together
from gaussiandiffusion.ground.errors import InputError

ROWS = ("action", "direction")  # attributes that make rows, as far as a model has them
COLUMN = "frame"  # the one that makes columns, its values in order of time
LOOPS = ("walk", "run", "idle")  # actions that go round
KEYED = 8  # drawn frames a second


@dataclass(frozen=True)
class Animation:
    """A row of a sheet.

    Attributes:
        asked: its action and direction, by attribute.
        frames: names of the drawn frames.
        loops: whether the first frame follows the last.
    """

    asked: Mapping[str, str]
    frames: tuple[str, ...]
    loops: bool

    @property
    def name(self) -> str:
        """Such as walk-front; fit for a file."""
        return file_name("-".join(self.asked.values()))

    @property
    def action(self) -> str:
        """The first of what makes rows; fit for a file."""
        return file_name(next(iter(self.asked.values())))


def file_name(word: str) -> str:
    """A value's name without what files and engines trip over."""
    return re.sub(r"[^\w.-]+", "_", word).lstrip(".") or "_"


def animations(
    spec: ConditionSpec, request: Mapping[str, Value | Sequence[Value]], loops: Sequence[str] = LOOPS
) -> tuple[Animation, ...]:
    """The rows of a sheet, action by action and direction by direction in the order of their values.

    Args:
        spec: of the model.
        request: what else is asked for; a value, or several, of an action, direction or frame keeps those alone.
        loops: actions that go round.

    Raises:
        InputError: the model has no such attributes, or never brings together what is asked for.
    """
    axes = sheet_axes(spec)
    single = {name: _single(name, value) for name, value in request.items() if name not in axes}
    others = {name: (*spec.names(name), None)[spec.index(name, value)] for name, value in single.items()}
    *rows, columns = ([(name, value) for value in _chosen(spec, name, request.get(name))] for name in axes)
    found = []
    for row in itertools.product(*rows):
        asked = dict(row)
        frames = [frame for name, frame in columns if come_together(spec, {**others, **asked, name: frame})]
        if frames:
            found.append(Animation(asked, tuple(frames), loops=any(value in loops for value in asked.values())))
    if not found:
        raise InputError("no frame comes together with all that is asked of the sheet; ask for less")
    return tuple(found)


def sheet_axes(spec: ConditionSpec) -> tuple[str, ...]:
    """The attributes that make rows, then the one that makes columns; raises InputError where there are none."""
    axes = tuple(name for name in (*ROWS, COLUMN) if name in spec.attributes)
    if COLUMN not in axes or ROWS[0] not in axes:
        has = f"has {', '.join(spec.attributes)}" if spec else "is unconditional"
        raise InputError(f"a sheet needs a model with the attributes {ROWS[0]} and {COLUMN}, and this one {has}; "
                         f"take one that has them, such as sprites, or leave the sheet out")  # fmt: skip
    return axes


def _single(name: str, value: Value | Sequence[Value]) -> Value:
    if isinstance(value, Sequence) and not isinstance(value, str):
        raise InputError(f"a character has one {name}, not {len(value)}; give one value")
    return value


def _chosen(spec: ConditionSpec, name: str, value: Value | Sequence[Value]) -> tuple[str, ...]:
    """Names of the values to show, in their order: all of them where nothing is asked."""
    names = spec.names(name)
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    indices = {spec.index(name, each) for each in several}
    return names if len(names) in indices else tuple(names[index] for index in sorted(indices))
