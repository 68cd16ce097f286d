"""Generated CIFAR-10 pictures or Sprites, ours and of pixel baselines with as much time; JSON section by section.

    gaussiandiffusion train cifar10 --budget L --output-dir RUNS/splats
    gaussiandiffusion train cifar10-patches --budget L --output-dir RUNS/patches
    gaussiandiffusion train cifar10-unet --budget L --output-dir RUNS/unet
    python -m benchmarks.colour --data cifar10 --runs RUNS --data-dir DIR

Rows whose folder is missing are left out. Samplers are compared on few samples against training images ("screen"); only
the best of each row meets the test images ("rows"). "curve" follows the snapshots of each training. Characters are
asked for what test frames show, which then are the reference. Networks run in float32.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks.colour.rows import CANDIDATES, CURVE, ROWS
from benchmarks.shared.sampling import some
from benchmarks.shared.sections import Section, SectionArguments, read_result, results_file, run_sections
from benchmarks.shared.trained_models import TrainedModels, least
from benchmarks.shared.training_records import training_record
from benchmarks.stability.checkpoints import checkpoints

SPEED_ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Measure trained models."""

    runs: Path
    """Folder with a training's output folder for each row."""
    data: Literal["cifar10", "sprites"] = "cifar10"
    num: int = 10_000
    seeds: tuple[int, ...] = (0, 1, 2)
    few: int = 2_000
    """Samples where many are not affordable: screening and the curve."""


class Colour:
    """The sections over the same models."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = replace(arguments, num=600, few=300, seeds=(0,)) if arguments.quick else arguments
        self.out = arguments.out or results_file(f"{arguments.data}-baselines", arguments.quick)
        self.models = TrainedModels(
            arguments.runs, arguments.data_dir, data=arguments.data, told=arguments.data == "sprites", half=False
        )
        self.rows_there = [row for row in ROWS if (arguments.runs / row / "pipeline").is_dir()]

    def screen(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every candidate on few samples against training images."""
        few, candidates = self.arguments.few, CANDIDATES[self.arguments.data]
        for row in self.rows_there:
            yield row, {"num": few, "candidates": self.models.screened(row, candidates, few)}

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The best candidate of each row over several seeds, with all measures and both floors."""
        for row in self.rows_there:
            sampling = least(read_result(self.out)["screen"][row]["candidates"])
            found = self.models.measured(row, sampling, self.arguments.num, self.arguments.seeds)
            yield row, {"title": ROWS[row]} | found

    def curve(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Distance over samples seen, by the snapshots of each training and one sampler."""
        few, sampling = self.arguments.few, CURVE[self.arguments.data]
        reference = some(self.models.test, few)
        for row in self.rows_there:
            folder = self.arguments.runs / row
            record, points = training_record(folder), []
            for checkpoint in checkpoints(folder):
                pipeline = self.models.pipeline(row, sampling.scheduler, checkpoint.folder)
                images = self.models.samples(pipeline, sampling, reference, seed=0)
                seen = checkpoint.steps * record["samples_seen"] // record["steps"]
                points.append({"samples_seen": seen, "fid": self.models.distance(images, reference)})
                print(f"{row}, {seen:,} samples seen: {points[-1]['fid']:.2f}", flush=True)
            yield row, {"title": ROWS[row], "num": few, "sampling": asdict(sampling), "points": points}

    def speed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Milliseconds an image of the best candidate of each row."""
        screened = read_result(self.out)["screen"]
        best = {row: (row, least(screened[row]["candidates"])) for row in self.rows_there}
        yield from self.models.speeds(best, SPEED_ROUNDS).items()


def main(arguments: Arguments) -> None:
    started = time.perf_counter()
    colour = Colour(arguments)
    sections: dict[str, Section] = {name: getattr(colour, name) for name in ("screen", "rows", "curve", "speed")}
    run_sections(colour.out, sections, arguments.only, quick=arguments.quick)
    print(f"{colour.out}: {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
