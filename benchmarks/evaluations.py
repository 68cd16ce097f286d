"""Quality against evaluations of the network: few-step splats beside the pixel U-Net; writes JSON.

    gaussiandiffusion train mnist-unet --budget L --output-dir RUNS/unet
    gaussiandiffusion train mnist --compile --output-dir RUNS/splats
    gaussiandiffusion train mnist-few --compile --output-dir RUNS/few
    python -m benchmarks.evaluations --runs RUNS --data-dir DIR

For each number of evaluations the best sampler of each model is found on few samples against training images ("screen")
and measured on many against the test images ("rows"); guidance counts double.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from benchmarks import generation
from benchmarks.generation import SPEED_BATCH, Generation, least
from benchmarks.sampling import Sampling, generate, passes, some
from benchmarks.sections import Section, SectionArguments, results_file, run_sections
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.ground.files import read_json


@dataclass(frozen=True)
class Row:
    """A model and the samplers that are tried on it."""

    title: str
    schedulers: tuple[str, ...]
    guidances: tuple[float, ...] = (1.0,)

    def candidates(self, evaluations: int) -> Iterator[Sampling]:
        """Everything that takes so many evaluations."""
        for guidance in self.guidances:
            steps, rest = divmod(evaluations, 1 if guidance == 1 else 2)
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
    """Measure trained models at several numbers of evaluations."""

    runs: Path
    """Folder with a training's output folder for each row."""
    rows: tuple[str, ...] = tuple(ROWS)
    evaluations: tuple[int, ...] = (1, 2, 3, 4, 10)
    num: int = 10_000
    seeds: tuple[int, ...] = (0, 1, 2)
    few: int = 2_000
    """Samples of the screening."""


class Curves:
    """The three sections over the same models."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = replace(arguments, num=600, few=300, seeds=(0,)) if arguments.quick else arguments
        self.out = arguments.out or results_file("evaluations", arguments.quick)
        self.models = Generation(generation.Arguments(runs=arguments.runs, data_dir=arguments.data_dir))

    def points(self) -> Iterator[tuple[str, int, str]]:
        """Model, evaluations, and the key of their result."""
        for row in self.arguments.rows:
            for count in self.arguments.evaluations:
                yield row, count, f"{row}-{count}"

    def screen(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every candidate on few samples against training images: the test images choose nothing."""
        num = self.arguments.few
        reference = some(self.models.train, num)
        for row, count, key in self.points():
            found = []
            for sampling in ROWS[row].candidates(count):
                images = generate(self.models.pipeline(row, sampling.scheduler), sampling, num, seed=100)
                found.append(asdict(sampling) | {"fid_train": self.models.distance(images, reference)})
                print(f"{row}, {sampling.words}: {found[-1]['fid_train']:.2f}", flush=True)
            yield key, {"num": num, "candidates": found}

    def best(self, key: str) -> Sampling:
        """The candidate that screening preferred."""
        return least(read_json(self.out)["screen"][key]["candidates"])

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The best candidates over several seeds, with all measures and both floors."""
        for row, count, key in self.points():
            measured = self.models.measure(row, self.best(key), self.arguments.num, self.arguments.seeds)
            yield key, {"model": row, "title": ROWS[row].title, "asked_evaluations": count} | measured

    def speed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Milliseconds an image, rendering included, all points in turn in one run."""
        works, known = {}, read_json(self.out)["screen"]
        for row, _, key in self.points():
            if key not in known:
                continue
            sampling = self.best(key)
            pipeline = self.models.pipeline(row, sampling.scheduler)
            works[key] = lambda p=pipeline, s=sampling: generate(p, s, SPEED_BATCH, seed=0)
            print(f"{key}: {passes(pipeline, sampling)} evaluations", flush=True)
        for key, seconds in median_seconds(works, 9).items():
            yield key, {"milliseconds_per_image": 1000 * seconds / SPEED_BATCH, "batch": SPEED_BATCH}


def main(arguments: Arguments) -> None:
    curves = Curves(arguments)
    sections: dict[str, Section] = {"screen": curves.screen, "rows": curves.rows, "speed": curves.speed}
    run_sections(curves.out, sections, arguments.only, quick=arguments.quick)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
