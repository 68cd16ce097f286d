"""A table of binary attributes beside pictures, as `list_attr_celeba.txt`: a row a picture, -1 or 1 a column.

Layout: the number of rows (in .csv left out); the attributes' names (in .csv after one for the files' names); then rows
of a file's name and a value for each attribute. Separated by spaces, or in .csv by commas.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gaussiandiffusion.data.paths import Describe
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import read_text

LARGEST = 128 << 20  # bytes: several times the published table
VALUES = ("no", "yes")  # -1 and 1


def read_attribute_table(path: Path) -> Describe:
    """A function that gives pictures, by their paths, the attributes that the table has for their files' names.

    Raises:
        InputError: the table is no such table, or cut short; when called: it lacks a picture.
    """
    lines = read_text(path, LARGEST).splitlines()
    if path.suffix.lower() == ".csv":
        lines = [line.replace(",", " ") for line in lines]
        promised, header, first = None, lines[0].split()[1:] if lines else [], 1
    else:
        promised, header, first = lines[0].strip() if lines else "", lines[1].split() if len(lines) > 1 else [], 2
    if not header or (promised is not None and not promised.isdecimal()):
        raise InputError(f"{path}: is no table of attributes (number of rows, names, then rows); get it again")
    spec = ConditionSpec(dict.fromkeys(header, VALUES))
    if len(spec.attributes) != len(header):
        raise InputError(f"{path}: names an attribute twice; get it again")
    rows = [line.split(maxsplit=1) for line in lines[first:] if line.strip()]
    if promised is not None and int(promised) != len(rows):
        raise InputError(f"{path}: holds {len(rows)} rows, but says {int(promised)}; get it again")
    values = np.empty((len(rows), len(header)), np.int8)
    for number, row in enumerate(rows):
        values[number] = _row(row, len(header), f"{path}: line {number + first + 1}")
    place = {row[0]: number for number, row in enumerate(rows)}

    def describe(paths: list[str]) -> ConditionColumns:
        positions = [place.get(posixpath.basename(own)) for own in paths]
        if None in positions:
            raise InputError(f"{path}: has no row for {paths[positions.index(None)]}; get it again, or take it out")
        return ConditionColumns(spec, values[np.array(positions, np.int64)].astype(np.int64))

    return describe


def _row(row: Sequence[str], count: int, where: str) -> np.ndarray:
    words = row[1].split() if len(row) > 1 else []
    if len(words) != count:
        raise InputError(f"{where} has {len(words)} values for {count} attributes; get the table again")
    if not {"-1", "1"}.issuperset(words):
        wrong = next(word for word in words if word not in ("-1", "1"))
        raise InputError(f"{where} has the value {wrong!r:.40}; attributes are -1 or 1: get the table again")
    return np.array([word == "1" for word in words])
