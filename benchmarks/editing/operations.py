"""How long an edit of a large set takes: each operation and each selection, on a random set as large as a photograph's.

    python -m benchmarks.editing.operations

Operations are the examples of the command line's help. Nothing is drawn, and no file is read but that of a layer and
the picture of a mask. Processor time on one thread, which other work on the machine does not change much.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from PIL import Image

from benchmarks.shared.inputs import random_splats
from benchmarks.shared.sections import Section, SectionArguments, results_file, run_sections
from benchmarks.shared.threads import one_thread
from gaussiandiffusion.edit import apply, parse_operation, select
from gaussiandiffusion.edit.registry import OPERATIONS
from gaussiandiffusion.splats import Canvas, Splats

SELECTIONS = {
    "inside(0,0,0.5,0.5) & color(#202020, 20)": "box and colour",
    "polygon(-0.5,-0.3, 0.5,-0.3, 0,0.6)": "polygon",
    "mask(MASK)": "mask of the canvas's size",
    "drawn(0,0)": "drawn at a point",
    "grow(inside(-0.5,-0.5,0.5,0.5), 0.1)": "a quarter of all, grown",
    "shrink(!index(::2), 0.01)": "half of all, shrunk",
}


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Time edits."""

    splats: int = 10_000
    rounds: int = 25
    seed: int = 0


def a_set(arguments: Arguments) -> Splats:
    """A set in colour on a canvas of a photograph, no splat cut off by it."""
    return random_splats(1, arguments.splats, Canvas(512, 768, 3), arguments.seed)


def milliseconds(work: Callable[[], object], arguments: Arguments) -> dict[str, Any]:
    """Median and slowest of several rounds after one that is not counted."""
    times, rounds = [], 2 if arguments.quick else arguments.rounds
    with one_thread():
        for _ in range(rounds + 1):
            started = time.process_time()
            work()
            times.append(1000 * (time.process_time() - started))
    del times[0]
    return {"ms": statistics.median(times), "ms_most": max(times), "rounds": rounds}


def operations(arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation as its example has it, on half of the splats where it takes a selection."""
    splats = a_set(arguments)
    half = torch.arange(splats.num_splats)[None] % 2 == 0
    with tempfile.TemporaryDirectory() as folder:
        layered = Path(folder) / "B.safetensors"
        splats.save(layered)
        for name, entry in OPERATIONS.items():
            text = entry.usage.replace("B.safetensors", str(layered))
            operation = parse_operation(text)
            where = None if operation.whole else half

            def work(operation=operation, where=where) -> Splats:
                return apply(splats, operation, where=where)

            yield name, {"example": entry.usage, "splats": arguments.splats} | milliseconds(work, arguments)


def selections(arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Some selections."""
    splats = a_set(arguments)
    with tempfile.TemporaryDirectory() as folder:
        mask = Path(folder) / "mask.png"
        Image.new("L", (splats.canvas.width, splats.canvas.height), 255).save(mask)
        for expression, name in SELECTIONS.items():

            def work(expression=expression) -> torch.Tensor:
                return select(splats, expression, files={"MASK": mask})

            row = {"example": expression, "splats": arguments.splats, "selected": int(work().sum())}
            yield name, row | milliseconds(work, arguments)


def main(arguments: Arguments) -> None:
    sections: dict[str, Section] = {
        "operations": lambda: operations(arguments),
        "selections": lambda: selections(arguments),
    }
    out = arguments.out or results_file("editing-operations", arguments.quick)
    run_sections(out, sections, arguments.only, quick=arguments.quick, seed=arguments.seed)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
