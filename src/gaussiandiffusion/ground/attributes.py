"""Attributes: what can be asked of a sample or is known of an image, and what the values are called.

A spec says which attributes there are and names their values, which are counted from 0. One index more than there are
values, the last, means "open": nothing is asked.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, SupportsIndex

import numpy as np
from numpy import ndarray

from gaussiandiffusion.ground.errors import InputError

CLASS = "class"  # the attribute of data that have just one
OPEN = "any"  # the word for "nothing is asked", unless a value is called so
SHOWN = 24  # value names in an error, at most
MOST_SAVED = 65_536  # classes that any network has
MOST_CLASSES = 1000  # numbers up to here are taken as they come, with gaps

Value = SupportsIndex | str | None  # an index, a name, or open
Absent = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]  # see `ConditionSpec.absent`


@dataclass(frozen=True)
class ConditionSpec:
    """Named attributes with the names of their values, in the order of their indices.

    Args:
        attributes: name -> names of its values, each different.
        absent: which values never come together, as far as that is recorded: attribute -> its value -> a later
            attribute -> those of its values. {"action": {"slash": {"frame": ["7"]}}}: no slash has a frame 7.

    Raises:
        InputError: an attribute without values, two values of one name, or something absent that is no value.
    """

    attributes: Mapping[str, Sequence[str]]
    absent: Absent = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = {name: tuple(values) for name, values in self.attributes.items()}
        object.__setattr__(self, "attributes", values)
        for name, names in values.items():
            if not names or len(set(names)) != len(names):
                raise InputError(
                    f"attribute '{name}' needs values of different names, not {', '.join(names) or 'none'}"
                )
        for pair in self.absent_pairs:
            for name, value in pair:
                if value not in self.names(name):
                    raise InputError(
                        f"{name} is said never to be '{value}' together with others, but has no such value"
                    )

    @classmethod
    def of_classes(cls, names: int | Sequence[str]) -> ConditionSpec:
        """One attribute, `class`, of so many values called 0, 1, ... or by name; of 0 values: no attribute at all."""
        names = [str(i) for i in range(names)] if isinstance(names, int) else names
        return cls({CLASS: tuple(names)} if names else {})

    @property
    def sizes(self) -> tuple[int, ...]:
        """Values of each attribute; that number is also the index of "open"."""
        return tuple(len(values) for values in self.attributes.values())

    @property
    def absent_pairs(self) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        """The pairs in `absent`, each value with its attribute before it."""
        return [
            ((name, value), (other, never))
            for name, values in self.absent.items()
            for value, others in values.items()
            for other, absent in others.items()
            for never in absent
        ]

    def __bool__(self) -> bool:
        return bool(self.attributes)

    def to_dict(self) -> dict[str, list[str]]:
        """The attributes as they are saved."""
        return {name: list(values) for name, values in self.attributes.items()}

    def names(self, attribute: str) -> tuple[str, ...]:
        """Names of an attribute's values; raises InputError, with those that are known, if there is no such one."""
        if not isinstance(attribute, str):
            raise InputError(f"attributes are known by names, not {attribute!r:.40}")
        if attribute not in self.attributes:
            raise InputError(f"unknown attribute '{attribute}'; {_choose(attribute, tuple(self.attributes))}")
        return tuple(self.attributes[attribute])

    def index(self, attribute: str, value: Value) -> int:
        """The index of a value given by its name, or by its index where no value is called so; of None: open.

        Raises:
            InputError: an unknown attribute or value, with those that are known.
        """
        names = self.names(attribute)
        if value is None:
            return len(names)
        if not isinstance(value, str | Integral):
            raise InputError(f"{attribute} is asked for by a name or a whole number, not {value!r:.40}")
        word = unicodedata.normalize("NFC", str(value))
        if word in names:
            return names.index(word)
        if word == OPEN:
            return len(names)
        if word.isdecimal() and int(word) < len(names) and not all(name.isdecimal() for name in names):
            return int(word)
        raise InputError(f"unknown {attribute} '{word}'; {_choose(word, names)}")

    def parse(self, words: Sequence[str]) -> dict[str, Value]:
        """A request from words: `hair=2`, `action=slash`, or a value alone where only one attribute has it.

        Raises:
            InputError: an unknown attribute or value, one that several attributes have, or an attribute given twice.
        """
        found: dict[str, Value] = {}
        for word in words:
            attribute, value = self._split(word)
            if attribute in found:
                raise InputError(f"{attribute} was asked for twice ('{found[attribute]}' and '{value}'); give it once")
            self.index(attribute, value)
            found[attribute] = value
        return found

    def _split(self, word: str) -> tuple[str, str]:
        if not self:
            raise InputError(f"this model is unconditional; leave the label '{word}' out")
        if len(self.attributes) == 1:
            (only, names), *_ = self.attributes.items()
            name, sign, value = word.partition("=")
            return (name, value) if sign and word not in names else (only, word)
        owners = [name for name, names in self.attributes.items() if word in names]
        if len(owners) == 1:
            return owners[0], word
        attribute, sign, value = word.partition("=")
        if sign:
            return attribute, value
        known = ", ".join(owners or self.attributes)
        raise InputError(f"'{word}' may be a value of {'several attributes' if owners else 'no attribute'}: {known}; "
                         f"say which, as NAME=VALUE")  # fmt: skip


@dataclass(frozen=True, eq=False)
class ConditionColumns:
    """Conditions of a whole data set, on the CPU as NumPy has them; none is open.

    Args:
        spec: the attributes.
        values: int64 [N, A].

    Raises:
        InputError: another shape or dtype, or an index that is no value.
    """

    spec: ConditionSpec
    values: ndarray

    def __post_init__(self) -> None:
        sizes = self.spec.sizes
        if self.values.dtype != np.int64 or self.values.ndim != 2 or self.values.shape[1] != len(sizes):
            raise InputError(f"conditions must be int64 [N, {len(sizes)}], not {self.values.dtype} {self.values.shape}")
        if self.values.size and (self.values.min() < 0 or bool((self.values.max(0) >= sizes).any())):
            raise InputError(f"conditions must lie in 0 ... {sizes} - 1, not {self.values.max(0)}")

    @classmethod
    def of_labels(cls, labels: ndarray, names: Sequence[str] | None = None) -> ConditionColumns:
        """One attribute, `class`, from integers [N]; see `dense` for those without names."""
        labels = labels.astype(np.int64)
        if names is None:
            labels, names = dense(labels)
        return cls(ConditionSpec({CLASS: tuple(names)}), labels[:, None])

    @property
    def labels(self) -> ndarray | None:
        """int64 [N] of the only attribute; None where there are several."""
        return self.values[:, 0] if self.values.shape[1] == 1 else None

    def take(self, positions: ndarray | slice) -> ConditionColumns:
        """Some of the rows."""
        return replace(self, values=self.values[positions])

    def without(self, names: Sequence[str]) -> ConditionColumns:
        """The other attributes."""
        kept = {name: values for name, values in self.spec.attributes.items() if name not in names}
        places = [i for i, name in enumerate(self.spec.attributes) if name in kept]
        return ConditionColumns(ConditionSpec(kept), self.values[:, places])

    @staticmethod
    def cat(parts: Sequence[ConditionColumns]) -> ConditionColumns:
        """Columns of several parts of one data set, whose values may be named in part."""
        names = tuple(parts[0].spec.attributes)
        if any(tuple(part.spec.attributes) != names for part in parts):
            raise InputError("parts of one data set have different attributes")
        longest = {name: max((part.spec.attributes[name] for part in parts), key=len) for name in names}
        if any(longest[name][: len(part.spec.attributes[name])] != part.spec.attributes[name]
               for part in parts for name in names):  # fmt: skip
            raise InputError("parts of one data set name their classes differently")
        return ConditionColumns(ConditionSpec(longest), np.concatenate([part.values for part in parts]))


def dense(labels: ndarray) -> tuple[ndarray, list[str]]:
    """Class numbers without names, as indices and names.

    0 ... C-1 stay as they are, gaps included: a part of a data set may lack a class. Numbers too large to count up to,
    such as years, become the places of those that occur, and are their names.
    """
    if not len(labels) or labels.max() < MOST_CLASSES:
        return labels, [str(i) for i in range(int(labels.max(initial=0)) + 1)]
    values, places = np.unique(labels, return_inverse=True)
    return places.astype(np.int64), [str(value) for value in values]


def saved_conditions(config: Mapping[str, Any]) -> Any:
    """What a network's saved configuration says of its attributes; until 0.1 it had `num_classes` without names."""
    classes = config.get("num_classes", 0)
    if isinstance(classes, int) and 0 < classes <= MOST_SAVED and "conditions" not in config:
        return ConditionSpec.of_classes(classes).to_dict()
    return config.get("conditions")


def _choose(word: str, names: Sequence[str]) -> str:
    if not names:
        return "this model is unconditional; leave it out"
    near = iter(difflib.get_close_matches(word, names, n=1))
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN else ""
    hint = f"did you mean {guess}? Known" if (guess := next(near, None)) else "known"
    return f"{hint} are {', '.join(names[:SHOWN])}{more}"
