"""Measure a model over several seeds; writes JSON and the model card's table.

    python -m benchmarks.bundled --model mnist --data-dir DIR --judge DIR --out benchmarks/results/mnist.json

The judge is a classifier that had no part in the model or its FID:

    python -m gaussiandiffusion.evaluation.features.training mnist --data-dir DIR --out JUDGE --seed 1 --width 32 \\
        --num-features 96 --epochs 8
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from benchmarks.shared.sampling import as_images, asked_like, some
from benchmarks.shared.training_records import settings, training_record
from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.diffusion import Guidance, passes
from gaussiandiffusion.evaluation import evaluate, load_features
from gaussiandiffusion.evaluation.cost.flops import parameter_count
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import Representation, SplatRepresentation


@dataclass(frozen=True)
class Arguments:
    """Sample, measure, write JSON."""

    out: Path
    model: str = "mnist"
    data: str = "mnist"
    data_dir: Path | None = None
    features: str = "mnist"
    conditions: Literal["drawn", "reference"] = "drawn"
    """What samples are asked for: drawn, or what `num` random test images show, which then are the reference."""
    judge: Path | None = None
    """Folder of an independent classifier for label accuracy."""
    num: int = 10_000
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: tuple[int, ...] = (10,)
    """Numbers of sampler steps, one row each."""
    guidance: tuple[float, ...] = ()
    """Guidance scales, one row each; default: the model's own."""
    scheduler: str | None = None
    training: tuple[Path, ...] = ()
    """Output folders of the training, and of those that went on from it, to record what they cost together."""


def main(arguments: Arguments) -> None:
    pipeline = GaussianDiffusionPipeline.from_pretrained(arguments.model)
    if arguments.scheduler is not None:
        pipeline = pipeline.with_scheduler(arguments.scheduler)
    space = load_features(arguments.features)
    judge = space if arguments.judge is None else load_features(arguments.judge)
    real = load_images(arguments.data, split="test", data_dir=arguments.data_dir)
    train = load_images(arguments.data, split="train", data_dir=arguments.data_dir)
    if arguments.conditions == "reference":
        real = some(real, arguments.num)
    rows: list[dict[str, Any]] = []
    record: dict[str, Any] = {
        "model": Path(arguments.model).name,
        "parameters": parameter_count(pipeline.denoiser),
        "representation": pipeline.representation.describe(),
        "encoding_psnr_test_mean": encoding_psnr(pipeline.representation, real),
        "scheduler": type(pipeline.scheduler).__name__,
        "num": arguments.num,
        "conditions": arguments.conditions,
        "threads": torch.get_num_threads(),
        "rows": rows,
    }
    if arguments.training:
        record["training"] = together([training_cost(folder) for folder in arguments.training])
    for steps in arguments.steps:
        for guidance in arguments.guidance or (pipeline.config.guidance_scale,):
            runs: list[dict[str, Any]] = []
            rows.append({})
            for seed in arguments.seeds:
                started = time.perf_counter()
                out = pipeline(
                    num_samples=arguments.num,
                    num_inference_steps=steps,
                    guidance_scale=guidance,
                    seed=seed,
                    conditions=asked_like(real) if arguments.conditions == "reference" else None,
                )
                seconds = time.perf_counter() - started
                report = evaluate(
                    as_images(out, Path(arguments.model).name),
                    real,
                    features=space,
                    judge=judge,
                    num=arguments.num,
                    floor_train=train if seed == arguments.seeds[0] else None,
                    floor_rendered=pipeline.representation.reconstruct if seed == arguments.seeds[0] else None,
                    seed=seed,
                )
                runs.append(report.to_dict() | {"seconds_per_image": seconds / arguments.num})
                rows[-1] = {"steps": steps, "guidance": guidance, **summary(runs)}
                rows[-1]["passes"] = passes(pipeline.scheduler, steps, Guidance(guidance))
                record |= {key: runs[0][key] for key in ("floor_train", "floor_rendered")}
                write_json(arguments.out, record)  # after every run, so that an interruption loses one at most
                print(f"steps {steps}, guidance {guidance}, seed {seed}: FID {report.fid:.3f}", report.label_accuracy)


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """One row from the runs of several seeds."""
    fids = [run["fid"] for run in runs]
    return {
        "seeds": [run["seed"] for run in runs],
        "fid_mean": statistics.mean(fids),
        "fid_min": min(fids),
        "fid_max": max(fids),
        "label_accuracy": statistics.mean(run["label_accuracy"] or 0.0 for run in runs),
        "seconds_per_image": statistics.median(run["seconds_per_image"] for run in runs),
        "runs": runs,
    }


def encoding_psnr(representation: Representation[Any], images: ImageSet) -> float | None:
    """Mean PSNR (dB) of encoded images; None for pixels, which lose nothing."""
    if not isinstance(representation, SplatRepresentation):
        return None
    return float(representation.encoder().encode(images.images).psnr.mean())


def training_cost(folder: Path) -> dict[str, Any]:
    """What a model card tells of a training."""
    cost = training_record(folder)
    kept = ("steps", "samples_seen", "samples_per_second_median", "flops", "parameters")
    threads = cost["machine"]["threads"]
    return {name: cost[name] for name in kept} | {
        "minutes": cost["seconds"] / 60,
        "seed": settings(cost)["seed"],
        "threads": threads,
    }


def together(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """The cost of trainings that went on from one another."""
    summed = ("steps", "samples_seen", "flops", "minutes")
    return costs[0] | {name: sum(cost[name] for cost in costs) for name in summed if name in costs[0]}


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
