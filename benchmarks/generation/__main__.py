"""Generated digits of our models and of the baselines, all measured alike; writes JSON section by section.

    gaussiandiffusion train mnist --network small --budget M --compile --snapshot-every 200 --output-dir RUNS/splats
    gaussiandiffusion encode mnist --splats 32 --learn-template FILE
    gaussiandiffusion train mnist --network small --splats 32 --start template:FILE --budget M --compile \\
        --output-dir RUNS/splats-32
    gaussiandiffusion train mnist-unet --budget M --compile --snapshot-every 200 --output-dir RUNS/unet
    gaussiandiffusion train mnist-patches --budget M --compile --output-dir RUNS/patches
    gaussiandiffusion train mnist-published --budget M --compile --output-dir RUNS/published
    gaussiandiffusion train mnist --network small --max-steps 600 --warmup-steps 100 --compile --output-dir RUNS/tenth
    python -m benchmarks.generation --runs RUNS --data-dir DIR

The samplers' candidates are compared on few samples against training images (section "screen"); only the best of each
row meets the test images (section "rows"). Networks run in bfloat16, as they were trained.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from benchmarks.generation.rows import CHECKPOINTS, OWN, ROWS, SHORTER, candidates
from benchmarks.shared.sampling import Sampling, generate, some
from benchmarks.shared.sections import Section, SectionArguments, read_result, results_file, run_sections
from benchmarks.shared.trained_models import TrainedModels, least
from benchmarks.stability.checkpoints import equal_flops, picture_text

SPEED_ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Measure trained models."""

    runs: Path
    """Folder with a training's output folder for each row."""
    rows: tuple[str, ...] = tuple(ROWS)
    num: int = 10_000
    seeds: tuple[int, ...] = (0, 1, 2)
    few: int = 2_000
    """Samples where many are not affordable: screening, checkpoints, samplers of hundreds of steps."""


class Generation:
    """The sections over the same models."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = replace(arguments, num=600, few=300, seeds=(0,)) if arguments.quick else arguments
        self.out = arguments.out or results_file("generation", arguments.quick)
        self.models = TrainedModels(arguments.runs, arguments.data_dir)

    def screen(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every candidate on few samples against training images."""
        few = self.arguments.few
        for row in self.arguments.rows:
            yield row, {"num": few, "candidates": self.models.screened(row, candidates(row), few)}

    def best(self, row: str) -> Sampling:
        """The candidate that screening preferred."""
        return least(read_result(self.out)["screen"][row]["candidates"])

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The best candidate of each row over several seeds, with all measures and both floors."""
        for row in self.arguments.rows:
            found = self.models.measured(row, self.best(row), self.arguments.num, self.arguments.seeds)
            yield row, {"title": ROWS[row]} | found

    def own(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The sampler of hundreds of steps that the published recipe is meant for, on few samples."""
        for row in self.arguments.rows:
            if row in OWN:
                found = self.models.measured(row, OWN[row], self.arguments.few, self.arguments.seeds[:1])
                yield row, {"title": ROWS[row]} | found

    def shorter(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the time of the splats' sampling buys other networks."""
        for row in self.arguments.rows:
            if row in SHORTER:
                sampling = least(self.models.screened(row, SHORTER[row], self.arguments.few))
                found = self.models.measured(row, sampling, self.arguments.num, self.arguments.seeds[:1])
                yield row, {"title": ROWS[row]} | found

    def stability(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Splats and pixels at equal training FLOPs, three checkpoints, one sampler."""
        few, sampling = self.arguments.few, CHECKPOINTS
        reference = some(self.models.test, few)
        for row, checkpoints in equal_flops({row: self.arguments.runs / row for row in ("splats", "unet")}).items():
            found = []
            for checkpoint in checkpoints:
                pipeline = self.models.pipeline(row, sampling.scheduler, checkpoint.folder)
                images = generate(pipeline, sampling, few, seed=0)
                found.append(
                    {
                        "steps": checkpoint.steps,
                        "flops": checkpoint.flops,
                        "fid": self.models.distance(images, reference),
                        "png": picture_text(images.images[:40]),
                    }
                )
            yield row, {"title": ROWS[row], "num": few, "sampling": asdict(sampling), "checkpoints": found}

    def speed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Milliseconds an image of the best candidate of each row."""
        best = {row: (row, self.best(row)) for row in self.arguments.rows}
        yield from self.models.speeds(best, SPEED_ROUNDS).items()


def main(arguments: Arguments) -> None:
    started = time.perf_counter()
    generation = Generation(arguments)
    names = ("screen", "rows", "own", "shorter", "stability", "speed")
    sections: dict[str, Section] = {name: getattr(generation, name) for name in names}
    run_sections(generation.out, sections, arguments.only, quick=arguments.quick)
    print(f"{generation.out}: {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
