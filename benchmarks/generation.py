"""Generated digits of our models and of the baselines, all measured alike; writes JSON section by section.

    gaussiandiffusion train mnist --model small --budget M --compile --snapshot-every 200 --output-dir RUNS/splats
    gaussiandiffusion encode mnist --splats 32 --learn-template FILE
    gaussiandiffusion train mnist --model small --splats 32 --start template:FILE --budget M --compile \\
        --output-dir RUNS/splats-32
    gaussiandiffusion train mnist-unet --budget M --compile --snapshot-every 200 --output-dir RUNS/unet
    gaussiandiffusion train mnist-patches --budget M --compile --output-dir RUNS/patches
    gaussiandiffusion train mnist-published --budget M --compile --output-dir RUNS/published
    gaussiandiffusion train mnist --model small --max-steps 600 --warmup-steps 100 --compile --output-dir RUNS/tenth
    python -m benchmarks.generation --runs RUNS --data-dir DIR

The samplers' candidates are compared on few samples against training images (section "screen"); only the best of each
row meets the test images (section "rows"). Networks run in bfloat16, as they were trained.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import tyro

from benchmarks.sampling import Sampling, generate, passes, some
from benchmarks.sections import Section, SectionArguments, results_file, run_sections
from benchmarks.stability import equal_flops, picture_text
from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.evaluation import EvaluationReport, evaluate, extract_features, frechet_distance, load_features
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.ground.files import read_json
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline

SPEED_BATCH = 64


# At most ten evaluations an image; guidance counts double. The published recipe's own sampler takes 200.
CANDIDATES = (
    *(Sampling(name, 10) for name in ("few-step", "dpm++")),
    *(Sampling(name, 5, guidance) for name in ("few-step", "dpm++") for guidance in (1.25, 1.5)),
)
CHECKPOINTS = Sampling("dpm++", 10)
# A patch network has twice the tokens of a splat network: about as many milliseconds take half the evaluations.
SHORTER = {
    "patches": tuple(Sampling(name, *way) for name in ("few-step", "dpm++") for way in ((5,), (2, 1.25), (2, 1.5)))
}
OWN = {"published": Sampling("ddim", 200)}
ROWS = {
    "splats": "canonical splats, K = 24",
    "splats-32": "canonical splats, K = 32",
    "unet": "pixel U-Net",
    "patches": "our transformer on pixel patches",
    "published": "published splat recipe",
    "tenth": "canonical splats, 600 steps",
}


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
    """What the sections share: data, features and where results go."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = replace(arguments, num=600, few=300, seeds=(0,)) if arguments.quick else arguments
        self.out = arguments.out or results_file("generation", arguments.quick)

    @cached_property
    def space(self) -> Any:
        return load_features("mnist")

    @cached_property
    def test(self) -> ImageSet:
        return load_images("mnist", split="test", data_dir=self.arguments.data_dir)

    @cached_property
    def train(self) -> ImageSet:
        return load_images("mnist", split="train", data_dir=self.arguments.data_dir)

    def pipeline(self, row: str, scheduler: str, folder: Path | None = None) -> GaussianDiffusionPipeline:
        folder = folder or self.arguments.runs / row / "pipeline"
        return GaussianDiffusionPipeline.from_pretrained(folder).with_scheduler(scheduler)

    def training(self, row: str) -> dict[str, Any]:
        """What the training cost; of the template's file its name, not where somebody keeps it."""
        record = read_json(self.arguments.runs / row / "training.json")
        record["config"]["start"] = record["config"]["start"].rpartition("/")[2]
        return record

    def distance(self, images: ImageSet, reference: ImageSet) -> float:
        clouds = (extract_features(self.space.network, side.images) for side in (images, reference))
        return frechet_distance(*clouds)

    # --- sections ----------------------------------------------------------------------------------------
    def screen(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every candidate on few samples against training images: the test images choose nothing."""
        for row in self.arguments.rows:
            flows = row != "published"  # which few-step is for
            candidates = [sampling for sampling in CANDIDATES if flows or sampling.scheduler != "few-step"]
            yield row, {"num": self.arguments.few, "candidates": self.screened(row, candidates)}

    def screened(self, row: str, candidates: Sequence[Sampling]) -> list[dict[str, Any]]:
        """Each way to sample and its distance to training images."""
        reference, found = some(self.train, self.arguments.few), []
        for sampling in candidates:
            images = generate(self.pipeline(row, sampling.scheduler), sampling, self.arguments.few, seed=100)
            found.append(asdict(sampling) | {"fid_train": self.distance(images, reference)})
        return found

    def best(self, row: str) -> Sampling:
        """The candidate that screening preferred."""
        return least(read_json(self.out)["screen"][row]["candidates"])

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The best candidate of each row over several seeds, with all measures and both floors."""
        for row in self.arguments.rows:
            yield (
                row,
                {"title": ROWS[row]} | self.measure(row, self.best(row), self.arguments.num, self.arguments.seeds),
            )

    def own(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The sampler of hundreds of steps that the published recipe is meant for, on few samples."""
        for row in self.arguments.rows:
            if row in OWN:
                found = self.measure(row, OWN[row], self.arguments.few, self.arguments.seeds[:1])
                yield row, {"title": ROWS[row]} | found

    def shorter(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the time of the splats' sampling buys other networks."""
        for row in self.arguments.rows:
            if row in SHORTER:
                sampling = least(self.screened(row, SHORTER[row]))
                found = self.measure(row, sampling, self.arguments.num, self.arguments.seeds[:1])
                yield row, {"title": ROWS[row]} | found

    def measure(self, row: str, sampling: Sampling, num: int, seeds: Sequence[int]) -> dict[str, Any]:
        """One row of results; floors and memorisation, which no seed changes much, by the first seed."""
        pipeline = self.pipeline(row, sampling.scheduler)
        reference = some(self.test, num)
        runs: list[EvaluationReport] = []
        for seed in seeds:
            images = generate(pipeline, sampling, num, seed)
            first = seed == seeds[0]
            runs.append(
                evaluate(
                    images,
                    reference,
                    features=self.space,
                    floor_train=self.train if first else None,
                    floor_rendered=pipeline.representation.reconstruct if first else None,
                    seed=seed,
                )
            )
            print(f"{row}, {sampling.words}, seed {seed}: FID {runs[-1].fid:.3f}", flush=True)
        fids = [run.fid for run in runs]
        return {
            "sampling": asdict(sampling),
            "evaluations": passes(pipeline, sampling),
            "num": num,
            "seeds": list(seeds),
            "fid": {"mean": statistics.mean(fids), "min": min(fids), "max": max(fids)},
            "training": self.training(row),
            "reports": [run.to_dict() for run in runs],
        }

    def stability(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Splats and pixels at equal training FLOPs, three checkpoints, one sampler."""
        reference = some(self.test, self.arguments.few)
        folders = {row: self.arguments.runs / row for row in ("splats", "unet")}
        for row, checkpoints in equal_flops(folders).items():
            sampling, found = CHECKPOINTS, []
            for checkpoint in checkpoints:
                pipeline = self.pipeline(row, sampling.scheduler, checkpoint.folder)
                images = generate(pipeline, sampling, self.arguments.few, seed=0)
                found.append(
                    {
                        "steps": checkpoint.steps,
                        "flops": checkpoint.flops,
                        "fid": self.distance(images, reference),
                        "png": picture_text(images.images[:40]),
                    }
                )
            few = self.arguments.few
            yield row, {"title": ROWS[row], "num": few, "sampling": asdict(sampling), "checkpoints": found}

    def speed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Milliseconds an image, rendering included, all rows in turn in one run."""
        works = {}
        for row in self.arguments.rows:
            sampling = self.best(row)
            pipeline = self.pipeline(row, sampling.scheduler)
            works[row] = lambda p=pipeline, s=sampling: generate(p, s, SPEED_BATCH, seed=0)
        for row, seconds in median_seconds(works, 5).items():
            yield row, {"milliseconds_per_image": 1000 * seconds / SPEED_BATCH, "batch": SPEED_BATCH}


def least(candidates: Sequence[dict[str, Any]]) -> Sampling:
    """The one nearest to training images."""
    chosen = min(candidates, key=lambda candidate: candidate["fid_train"])
    return Sampling(chosen["scheduler"], chosen["steps"], chosen["guidance"])


def main(arguments: Arguments) -> None:
    started = time.perf_counter()
    generation = Generation(arguments)
    names = ("screen", "rows", "own", "shorter", "stability", "speed")
    sections: dict[str, Section] = {name: getattr(generation, name) for name in names}
    run_sections(generation.out, sections, arguments.only, quick=arguments.quick)
    print(f"{generation.out}: {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
