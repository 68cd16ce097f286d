"""`metrics.jsonl`: a line of numbers for every so many steps, of which a killed training may leave half a one."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_bytes
from gaussiandiffusion.ground.records import is_file, parse_json, read_text, to_record

LARGEST = 1 << 30  # bytes of a log


class Window:
    """The parts of the loss over the steps since the last line, which stay on their device until they are read."""

    def __init__(self) -> None:
        self.taken, self.sums, self.since = 0, dict[str, Tensor](), time.perf_counter()

    def add(self, parts: dict[str, Tensor]) -> None:
        """One more step's."""
        self.taken += 1
        for name, value in parts.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def means(self, step: int) -> dict[str, float]:
        """Means over the steps up to `step`; waits for the device.

        Raises:
            InputError: the loss is no longer finite.
        """
        if not self.taken:
            return {}
        totals = torch.stack([value.float() for value in self.sums.values()]).tolist()
        means = {name: total / self.taken for name, total in zip(self.sums, totals, strict=True)}
        if not math.isfinite(means["loss"]):
            where = f"at step {step}" if self.taken == 1 else f"in steps {step - self.taken + 1} to {step}"
            raise InputError(f"the loss became {means['loss']} {where}; lower learning_rate")
        return means

    def restart(self) -> None:
        """Begin the next line."""
        Window.__init__(self)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Time that is not the steps'."""
        started = time.perf_counter()
        yield
        self.since += time.perf_counter() - started

    def rate(self, samples: int) -> float:
        """Samples a second, of so many a step."""
        return self.taken * samples / (time.perf_counter() - self.since)


@dataclass(frozen=True)
class Line:
    """What the rest of the program reads of a line."""

    step: Annotated[int, Meta(ge=0)]
    samples_per_second: Annotated[float, Meta(gt=0)]
    loss: float | None = None


def read_metrics(path: Path) -> list[Line]:
    """The whole lines of a log; none where there is no log.

    Raises:
        InputError: a line, other than a last one cut short, is no line of a log.
    """
    return [line for _, line in _lines(path)]


def truncate_metrics(path: Path, step: int) -> None:
    """Forget lines of steps after `step`, which will be taken again, and a last one cut short."""
    if is_file(path):
        kept = [text for text, line in _lines(path) if line.step <= step]
        write_bytes(path, "".join(f"{text}\n" for text in kept).encode())


def append_metrics(path: Path, step: int, values: dict[str, float]) -> None:
    """Write one more line."""
    with path.open("a") as file:
        file.write(json.dumps({"step": step, **values}) + "\n")


def _lines(path: Path) -> list[tuple[str, Line]]:
    if not is_file(path):
        return []
    texts = read_text(path, LARGEST).splitlines()
    found = []
    for number, text in enumerate(texts, 1):
        where = f"{path}: line {number}"
        try:
            found.append((text, to_record(parse_json(text, where), Line, where)))
        except InputError:
            if number < len(texts):
                raise
    return found
