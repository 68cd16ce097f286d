"""Files of labels: the index of each set's class, for sets that do not say theirs.

A JSON list, or text with one index a line, has them in the order of the sets; one longer than there are sets has those
of a whole data set, of which the sets are a part, by the numbers in their names. A JSON object has them by these
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from jaxtyping import Int64
from msgspec import Meta
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import parse_json, read_text, to_record

Index = Annotated[int, Meta(ge=0, le=2**63 - 1)]


def read_labels(path: Path, count: int, numbers: Sequence[int] | None = None) -> Int64[Tensor, " n"]:
    """Labels of `count` sets.

    Args:
        path: the file of labels.
        numbers: of the sets; None where they have none but their places.

    Raises:
        InputError: the file cannot be read, holds anything but whole numbers >= 0, or lacks a set's.
    """
    text = read_text(path).removeprefix("\ufeff")
    values: Any = parse_json(text, path) if path.suffix.lower() == ".json" else text.split()
    if isinstance(values, dict):
        labels = _by_number(values, path)
        wanted = range(count) if numbers is None else numbers
        missing = [number for number in wanted if number not in labels]
        if missing:
            raise InputError(f"{path}: has no label of set number {missing[0]}, and of {len(missing)} sets in all")
        return torch.tensor([labels[number] for number in wanted], dtype=torch.int64)
    found = _indices(values, path)
    if len(found) == count:
        return torch.tensor(found, dtype=torch.int64)
    if numbers is None or len(found) < count or max(numbers) >= len(found):
        raise InputError(f"{path}: has {len(found)} labels for {count} sets; give one for each, in their order")
    return torch.tensor([found[number] for number in numbers], dtype=torch.int64)


def _by_number(values: dict[str, Any], path: Path) -> dict[int, int]:
    try:
        labels = dict(zip(map(int, values), _indices(list(values.values()), path), strict=True))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: its keys must be the numbers of the sets, or it must be a list of labels") from error
    if len(labels) != len(values):
        raise InputError(f"{path}: has two labels of one set number; leave one out")
    return labels


def _indices(values: object, path: Path) -> list[int]:
    plain = [int(value) if _is_number(value) else value for value in values] if isinstance(values, list) else values
    try:
        return to_record(plain, list[Index], path)
    except InputError as error:
        raise InputError(f"{path}: labels must be whole numbers from 0 on, one a set "
                         f"({str(error).removeprefix(f'{path}: ')})") from error  # fmt: skip


def _is_number(value: object) -> bool:
    """Whether a word is one, and not longer than Python reads."""
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
