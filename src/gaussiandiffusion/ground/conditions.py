"""Conditions: what each sample of a batch is asked to be, an index for every attribute of a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Int64
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec, Value
from gaussiandiffusion.ground.combinations import occurring
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import Stream, generator_for

Request = Mapping[str, Value | Sequence[Value] | Tensor]


@dataclass(frozen=True, eq=False)
class Conditions:
    """A batch of conditions.

    Args:
        spec: the attributes.
        values: an index each, the attribute's size for "open"; no columns where nothing can be asked.
    """

    spec: ConditionSpec
    values: Int64[Tensor, "n a"]

    @classmethod
    def ask(
        cls, spec: ConditionSpec, count: int, request: Request | None = None, *, seed: int = 0, first: int = 0
    ) -> Conditions:
        """Conditions of samples `first` ... `first + count - 1`.

        Args:
            request: attribute -> one value for all samples, or one each; None leaves it open.
            seed: attributes that the request does not name are drawn from (seed, sample); a single one runs through its
                values in turn instead. What the spec says never comes together is drawn together only where it was
                asked for.

        Raises:
            InputError: an unknown attribute or value, or not one for each sample.
        """
        request = {} if request is None else request
        if not isinstance(request, Mapping):
            raise InputError(f"conditions must be a mapping of attributes to values, not {request!r:.40}")
        for name in request:
            spec.names(name)  # refuses unknown ones
        columns, drawn = [], [name not in request for name in spec.attributes]

        def generator(row: int, place: int) -> torch.Generator:
            return generator_for(seed, Stream.CONDITIONS, place, first + row)

        def redraw(row: int, place: int, choices: int) -> int:
            own = generator(row, place)
            torch.randint(spec.sizes[place], (1,), generator=own)  # the draw that did not fit
            return int(torch.randint(choices, (1,), generator=own))

        for place, (name, names) in enumerate(spec.attributes.items()):
            if name in request:
                columns.append(_column(spec, name, request[name], count))
            elif len(spec.attributes) == 1:
                columns.append(torch.arange(first, first + count) % len(names))
            else:
                each = [torch.randint(len(names), (1,), generator=generator(i, place)) for i in range(count)]
                columns.append(torch.cat(each))
        values = torch.stack(columns, 1) if columns else torch.empty(count, 0, dtype=torch.int64)
        if spec.absent and any(drawn):
            values = torch.from_numpy(occurring(spec, values.numpy(), drawn, redraw))
        return cls(spec, values)

    @classmethod
    def of(cls, columns: ConditionColumns) -> Conditions:
        """Those of a data set."""
        return cls(columns.spec, torch.from_numpy(np.ascontiguousarray(columns.values)))

    def __len__(self) -> int:
        return len(self.values)

    def select(self, index: slice | Sequence[int] | Tensor) -> Conditions:
        """Some of the batch."""
        return replace(self, values=self.values[index])

    def drop(self, dropped: Bool[Tensor, " n"] | Bool[Tensor, "n a"] | Literal[True] = True) -> Conditions:
        """The same with some left open: whole samples, single attributes, or everything."""
        # Filled where it is: a copy from the host would wait for all that an accelerator has to do.
        columns = [self.values.new_full((len(self), 1), size) for size in self.spec.sizes]
        nothing = torch.cat(columns, 1) if columns else self.values
        if dropped is True:
            return replace(self, values=nothing.clone())
        dropped = dropped[:, None] if dropped.ndim == 1 else dropped
        return replace(self, values=torch.where(dropped, nothing, self.values))

    @staticmethod
    def cat(parts: Sequence[Conditions]) -> Conditions:
        """Batches of one spec, one after another."""
        return replace(parts[0], values=torch.cat([part.values for part in parts]))

    def to(self, device: torch.device | str) -> Conditions:
        return replace(self, values=self.values.to(device))

    def padded(self, count: int) -> Conditions:
        """As many as `count`, the last one repeated."""
        missing = count - len(self)
        return replace(self, values=torch.cat([self.values, self.values[-1:].expand(missing, -1)]))

    @property
    def labels(self) -> Int64[Tensor, " n"] | None:
        """The one attribute's indices; None where there is none, or several."""
        return self.values[:, 0] if self.values.shape[1] == 1 else None

    @property
    def class_numbers(self) -> Int64[Tensor, " n"] | None:
        """The numbers that ask for the labels: indices, but where all values are called by numbers, their names."""
        if self.labels is None:
            return None
        (names,) = self.spec.attributes.values()
        if not all(name.isdecimal() for name in names):
            return self.labels
        return torch.tensor([*map(int, names), len(names)])[self.labels]

    def words(self) -> dict[str, list[str | None]]:
        """Names of the values, attribute by attribute; None where it is open."""
        named = zip(self.spec.attributes.items(), self.values.T.tolist(), strict=True)
        return {name: [(*names, None)[index] for index in column] for (name, names), column in named}


def _column(
    spec: ConditionSpec, name: str, values: Value | Sequence[Value] | Tensor, count: int
) -> Int64[Tensor, " n"]:
    if isinstance(values, Tensor | ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str):
        return torch.full((count,), spec.index(name, values))
    if len(values) != count:
        raise InputError(f"{len(values)} values of {name} were given for {count} samples; give one each")
    return torch.tensor([spec.index(name, value) for value in values], dtype=torch.int64)
