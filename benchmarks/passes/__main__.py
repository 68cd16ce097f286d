"""Quality against passes of the network: few-step splats beside the pixel U-Net; writes JSON.

    gaussiandiffusion train mnist-unet --budget L --output-dir RUNS/unet
    gaussiandiffusion train mnist --compile --output-dir RUNS/splats
    gaussiandiffusion train mnist-few --compile --output-dir RUNS/few
    python -m benchmarks.passes --runs RUNS --data-dir DIR

For each number of passes the best sampler of each model is found on few samples against training images ("screen")
and measured on many against the test images ("rows"); guidance counts double.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from benchmarks.shared.sampling import Sampling
from benchmarks.shared.sections import Section, SectionArguments, read_result, results_file, run_sections
from benchmarks.shared.trained_models import TrainedModels, least

SPEED_ROUNDS = 9


@dataclass(frozen=True)
class Row:
    """A model and the samplers that are tried on it."""

    title: str
    schedulers: tuple[str, ...]
    guidances: tuple[float, ...] = (1.0,)

    def candidates(self, passes: int) -> Iterator[Sampling]:
        """Everything that takes so many passes."""
        for guidance in self.guidances:
            steps, rest = divmod(passes, 1 if guidance == 1 else 2)
            if not rest:
                for scheduler in self.schedulers if steps > 1 else self.schedulers[:1]:  # one step: all are the same
                    yield Sampling(scheduler, steps, guidance)


GUIDANCES = (1.0, 1.1, 1.25, 1.5)
ROWS = {
    "unet": Row("pixel U-Net", ("few-step", "dpm++"), GUIDANCES),
    "splats": Row("canonical splats", ("few-step", "dpm++"), GUIDANCES),
    "few": Row("few-step splats", ("few-step", "euler")),
}


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Measure trained models at several numbers of passes."""

    runs: Path
    """Folder with a training's output folder for each row."""
    rows: tuple[str, ...] = tuple(ROWS)
    passes: tuple[int, ...] = (1, 2, 3, 4, 10)
    num: int = 10_000
    seeds: tuple[int, ...] = (0, 1, 2)
    few: int = 2_000
    """Samples of the screening."""


class Curves:
    """The three sections over the same models."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = replace(arguments, num=600, few=300, seeds=(0,)) if arguments.quick else arguments
        self.out = arguments.out or results_file("passes", arguments.quick)
        self.models = TrainedModels(arguments.runs, arguments.data_dir)

    def points(self) -> Iterator[tuple[str, int, str]]:
        """Model, passes, and the key of their result."""
        for row in self.arguments.rows:
            for count in self.arguments.passes:
                yield row, count, f"{row}-{count}"

    def screen(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every candidate on few samples against training images."""
        few = self.arguments.few
        for row, count, key in self.points():
            yield key, {"num": few, "candidates": self.models.screened(row, [*ROWS[row].candidates(count)], few)}

    def best(self, key: str) -> Sampling:
        """The candidate that screening preferred."""
        return least(read_result(self.out)["screen"][key]["candidates"])

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The best candidates over several seeds, with all measures and both floors."""
        for row, count, key in self.points():
            found = self.models.measured(row, self.best(key), self.arguments.num, self.arguments.seeds)
            yield key, {"model": row, "title": ROWS[row].title, "asked_passes": count} | found

    def speed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Milliseconds an image of all points that were screened."""
        known = read_result(self.out)["screen"]
        best = {key: (row, self.best(key)) for row, _, key in self.points() if key in known}
        yield from self.models.speeds(best, SPEED_ROUNDS).items()


def main(arguments: Arguments) -> None:
    curves = Curves(arguments)
    sections: dict[str, Section] = {"screen": curves.screen, "rows": curves.rows, "speed": curves.speed}
    run_sections(curves.out, sections, arguments.only, quick=arguments.quick)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
