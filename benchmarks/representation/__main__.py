"""What the network should see, and what it should learn: short trainings of each choice, measured alike.

    python -m benchmarks.representation --runs RUNS --data-dir DIR

Every row is the preset "mnist" with 48 splats, the network `small` and some settings changed, trained for the same time
(budget S) unless RUNS holds it already. Choices are made here, so distances are to training images; the test images
stay for `benchmarks.generation`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tyro

from benchmarks.representation.rows import (
    BASE,
    OBJECTIVE,
    REPRESENTATION,
    Rows,
    first_sampler,
    merged,
    possible_samplings,
)
from benchmarks.shared.sampling import Sampling, generate, network_passes, some
from benchmarks.shared.sections import Section, SectionArguments, results_file, run_sections
from benchmarks.shared.training_records import training_record
from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.evaluation import evaluate, load_features
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Train what is missing, and measure."""

    runs: Path
    """Folder with, or for, each row's training."""
    rows: tuple[str, ...] = ()
    """Rows of them; default: all."""
    budget: str = "S"
    num: int = 2_000


class Comparison:
    """What the rows share: data, features, and how they are trained and measured."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = arguments
        self.num = 300 if arguments.quick else arguments.num

    @cached_property
    def train(self) -> ImageSet:
        return load_images("mnist", split="train", data_dir=self.arguments.data_dir)

    def representation(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._compare(REPRESENTATION)

    def objective(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._compare(OBJECTIVE)

    def samplers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All samplers on the models of the two kinds of process."""
        for name in ("template-48", "v"):
            if not self.arguments.rows or name in self.arguments.rows:
                settings = (REPRESENTATION | OBJECTIVE)[name][1]
                yield name, {"found": [self._measure(self._run(name, settings), s) for s in possible_samplings(name)]}

    def _compare(self, rows: Rows) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, (title, settings) in rows.items():
            if self.arguments.rows and name not in self.arguments.rows:
                continue
            folder = self._run(name, settings)
            first = first_sampler(name)
            found = [self._measure(folder, Sampling(first, 10)), self._measure(folder, Sampling(first, 5, 1.5))]
            yield (
                name,
                {"title": title, "settings": list(settings), "training": training_record(folder), "found": found},
            )

    def _run(self, name: str, settings: tuple[str, ...]) -> Path:
        """The row's training folder, trained now if it is not there."""
        folder = self.arguments.runs / name
        if (folder / "training.json").is_file():
            return folder
        settings = merged(BASE, settings)
        settings = tuple(self._template(part) if part.startswith("template:") else part for part in settings)
        length = (
            ("--max-steps", "20", "--limit", "600") if self.arguments.quick else ("--budget", self.arguments.budget)
        )
        command = ["train", "mnist", *settings, *length, "--compile", "--output-dir", str(folder)]
        self._call(*command)
        return folder

    def _template(self, start: str) -> str:
        path = self.arguments.runs / start.removeprefix("template:")
        if not path.exists():
            number, _, signed = path.stem.removeprefix("mnist-").partition("-")
            more = ("--signed",) if signed else ()
            self._call("encode", "mnist", "--splats", number, *more, "--learn-template", str(path))
        return f"template:{path}"

    def _call(self, *command: str) -> None:
        data = () if self.arguments.data_dir is None else ("--data-dir", str(self.arguments.data_dir))
        subprocess.run([sys.executable, "-m", "gaussiandiffusion", *command, *data], check=True)

    def _measure(self, folder: Path, sampling: Sampling) -> dict[str, Any]:
        pipeline = GaussianDiffusionPipeline.from_pretrained(folder / "pipeline").with_scheduler(sampling.scheduler)
        started = time.perf_counter()
        images = generate(pipeline, sampling, self.num, seed=100)
        seconds = time.perf_counter() - started
        report = evaluate(images, some(self.train, self.num), features=load_features("mnist"))
        print(f"{folder.name}, {sampling.words}: FID {report.fid:.2f}", flush=True)
        quality = report.precision_recall
        return asdict(sampling) | {
            "passes": network_passes(pipeline, sampling),
            "num": self.num,
            "fid_train": report.fid,
            "label_accuracy": report.label_accuracy,
            "precision": quality.precision,
            "recall": quality.recall,
            "seconds_per_image": seconds / self.num,
        }


def main(arguments: Arguments) -> None:
    comparison = Comparison(arguments)
    out = arguments.out or results_file("representation", arguments.quick)
    sections: dict[str, Section] = {
        "representation": comparison.representation,
        "objective": comparison.objective,
        "samplers": comparison.samplers,
    }
    run_sections(out, sections, arguments.only, quick=arguments.quick)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
