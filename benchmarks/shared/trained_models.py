"""Samples of trained models, all measured alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.shared.sampling import Sampling, asked_like, generate, network_passes, some
from benchmarks.shared.training_records import training_record
from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.evaluation import (
    EvaluationReport,
    FeatureSpace,
    evaluate,
    extract_features,
    frechet_distance,
    load_features,
)
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline

SPEED_BATCH = 64


class TrainedModels:
    """Models of a folder with each training's output folder, and what they are measured with.

    Args:
        runs: that folder.
        data_dir: where the images' files lie.
        data: data set, and the name of its feature network.
        told: samples are asked for what the images show that they are measured against.
        half: networks run in bfloat16, like in training.
    """

    def __init__(
        self, runs: Path, data_dir: Path | None, data: str = "mnist", *, told: bool = False, half: bool = True
    ) -> None:
        self.runs, self.data_dir, self.data, self.told, self.half = runs, data_dir, data, told, half

    @cached_property
    def space(self) -> FeatureSpace:
        return load_features(self.data)

    @cached_property
    def test(self) -> ImageSet:
        return load_images(self.data, split="test", data_dir=self.data_dir)

    @cached_property
    def train(self) -> ImageSet:
        return load_images(self.data, split="train", data_dir=self.data_dir)

    def pipeline(self, row: str, scheduler: str, folder: Path | None = None) -> GaussianDiffusionPipeline:
        """A row's model with a sampler; from another folder, one of its snapshots."""
        folder = folder or self.runs / row / "pipeline"
        return GaussianDiffusionPipeline.from_pretrained(folder).with_scheduler(scheduler)

    def distance(self, images: ImageSet, reference: ImageSet) -> float:
        """Fréchet distance of two sets."""
        clouds = (extract_features(self.space.network, side.images) for side in (images, reference))
        return frechet_distance(*clouds)

    def samples(
        self, pipeline: GaussianDiffusionPipeline, sampling: Sampling, reference: ImageSet, seed: int
    ) -> ImageSet:
        """As many as there are reference images, asked for what those show if that is told."""
        asked = asked_like(reference) if self.told else None
        return generate(pipeline, sampling, len(reference), seed, half=self.half, conditions=asked)

    def screened(self, row: str, candidates: Sequence[Sampling], num: int) -> list[dict[str, Any]]:
        """Each way to sample and its distance to training images: the test images choose nothing."""
        reference, found = some(self.train, num), []
        for sampling in candidates:
            images = self.samples(self.pipeline(row, sampling.scheduler), sampling, reference, seed=100)
            found.append(asdict(sampling) | {"fid_train": self.distance(images, reference)})
            print(f"{row}, {sampling.words}: {found[-1]['fid_train']:.2f}", flush=True)
        return found

    def measured(self, row: str, sampling: Sampling, num: int, seeds: Sequence[int]) -> dict[str, Any]:
        """One row of results; floors and memorisation, which no seed changes much, by the first seed."""
        pipeline = self.pipeline(row, sampling.scheduler)
        reference = some(self.test, num)
        runs: list[EvaluationReport] = []
        for seed in seeds:
            images = self.samples(pipeline, sampling, reference, seed)
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
            "passes": network_passes(pipeline, sampling),
            "num": num,
            "seeds": list(seeds),
            "fid": {"mean": statistics.mean(fids), "min": min(fids), "max": max(fids)},
            "training": training_record(self.runs / row),
            "reports": [run.to_dict() for run in runs],
        }

    def speeds(self, samplings: Mapping[str, tuple[str, Sampling]], repeats: int) -> dict[str, dict[str, Any]]:
        """Milliseconds an image by key, rendering included, all in turn in one run.

        Args:
            samplings: the row, and how it is sampled, of every key.
        """
        works = {}
        for key, (row, sampling) in samplings.items():
            pipeline = self.pipeline(row, sampling.scheduler)
            works[key] = lambda p=pipeline, s=sampling: generate(p, s, SPEED_BATCH, seed=0, half=self.half)
        return {
            key: {"milliseconds_per_image": 1000 * seconds / SPEED_BATCH, "batch": SPEED_BATCH}
            for key, seconds in median_seconds(works, repeats).items()
        }


def least(candidates: Sequence[dict[str, Any]]) -> Sampling:
    """The one nearest to training images."""
    chosen = min(candidates, key=lambda candidate: candidate["fid_train"])
    return Sampling(chosen["scheduler"], chosen["steps"], chosen["guidance"])
