"""Which values of several attributes come together: recorded of a data set as the pairs that never do.

A walk may have eight frames and a blow with the sword six; then no training has seen the eighth frame of a blow, and
nobody who did not ask for it should get it. Pairs say that in a few words, and leave open what is merely new: any
character of parts of which each two were seen together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
from numpy import ndarray

from gaussiandiffusion.ground.attributes import Absent, ConditionColumns, ConditionSpec

MOST_PAIRS = 65_536  # of values of two attributes; where there are more nothing is recorded of the two

Redraw = Callable[[int, int, int], int]  # (row, attribute, n) -> one of 0 ... n - 1


def absent_in(columns: ConditionColumns) -> Absent:
    """The pairs of values that no row of a data set has, as `ConditionSpec.absent`; none of a data set without rows."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    named = list(columns.spec.attributes.items())
    for (i, (name, names)), (j, (other, others)) in combinations(enumerate(named), 2):
        if not len(columns.values) or len(names) * len(others) > MOST_PAIRS:
            continue
        seen = np.zeros((len(names), len(others)), bool)
        seen[columns.values[:, i], columns.values[:, j]] = True
        for value, row in zip(names, seen, strict=True):
            if not row.all():
                missing = [others[k] for k in np.flatnonzero(~row).tolist()]
                found.setdefault(name, {}).setdefault(value, {})[other] = missing
    return found


def come_together(spec: ConditionSpec, values: Mapping[str, str | None]) -> bool:
    """Whether no two of these values, by attribute, are recorded as absent; None is open and goes with everything."""
    return not any(values.get(name) == value and values.get(other) == never
                   for (name, value), (other, never) in spec.absent_pairs)  # fmt: skip


def occurring(spec: ConditionSpec, values: ndarray, drawn: list[bool], redraw: Redraw) -> ndarray:
    """Draw anew, where needed, what was drawn without heed of the other attributes.

    Attribute after attribute a drawn value stays if it comes together with what is asked for and what was drawn before,
    and leaves every other attribute a value; else one of those that do is drawn. Rows without an absent pair stay as
    they are. A row for which there is no such value, because things were asked for that never come together, keeps it.

    Args:
        values: int64 [N, A], the size of an attribute for "open".
        drawn: [A], whether the attribute was drawn; the others were asked for and stay.
        redraw: gives the choice.

    Returns:
        int64 [N, A].
    """
    sizes = spec.sizes
    starts = np.cumsum([0, *(size + 1 for size in sizes)])[:-1]
    groups = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]  # without "open"
    together = _table(spec, starts, sum(sizes) + len(sizes))
    values = values.copy()
    places = values + starts
    wrong = np.zeros(len(values), bool)
    for i, j in combinations(range(len(sizes)), 2):
        wrong |= ~together[places[:, i], places[:, j]]
    for row in np.flatnonzero(wrong).tolist():
        fine = np.ones(len(together), bool)  # goes with all that is settled
        for i in range(len(sizes)):
            if not drawn[i]:
                fine &= together[places[row, i]]
        for i in range(len(sizes)):
            if drawn[i]:
                lasting = fine[groups[i]].copy()
                for group in groups:
                    lasting &= (together[groups[i], group] & fine[group]).any(1)
                choices = np.flatnonzero(lasting)
                if len(choices) and values[row, i] not in choices:
                    values[row, i] = choices[redraw(row, i, len(choices))]
                fine &= together[starts[i] + values[row, i]]
    return values


def _table(spec: ConditionSpec, starts: ndarray, size: int) -> ndarray:
    """bool [V, V]: whether two values come together; "open" goes with all, a value with no other of its attribute."""
    table = np.ones((size, size), bool)
    for start, count in zip(starts, spec.sizes, strict=True):
        table[start : start + count, start : start + count] = np.eye(count, dtype=bool)
    first = dict(zip(spec.attributes, starts, strict=True))
    for pair in spec.absent_pairs:
        one, other = (first[name] + spec.index(name, value) for name, value in pair)
        table[one, other] = table[other, one] = False
    return table
