"""Does encoding keep up with training: images per second of the live loader beside those of the training step.

python -m benchmarks.training.loader --data-dir DIR --out benchmarks/results/loader.json
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import tyro

from gaussiandiffusion.data.augment import Augmentation, augment
from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import LiveLatents, TrainingSet, load_training_set
from gaussiandiffusion.training.loader import load_batches
from gaussiandiffusion.training.metrics import read_metrics
from gaussiandiffusion.training.presets import load_config
from gaussiandiffusion.training.trainer import Trainer

NEVER = 10**9  # steps
WARM = 2  # steps and batches that are not counted: they compile and fill the prefetch


@dataclass(frozen=True)
class Arguments:
    """Time the live loader alone, the training step alone, and both together."""

    out: Path
    data_dir: Path | None = None
    preset: str = "mnist"
    images: int = 2048
    """Images of the training split to draw batches from."""
    batches: int = 20
    """Batches to time the loader on."""
    steps: int = 20
    """Training steps to time."""
    threads: int = 1
    """Of the encoder, and of the network."""


def seconds(work: Callable[[], object], count: int) -> float:
    """Median of `count` calls, after those that warm."""
    return median_seconds({"work": work}, count, warm=WARM)["work"]


def training_rate(config: TrainConfig, data: TrainingSet, steps: int) -> float:
    """Median samples per second of a training, from its own log."""
    config = replace(
        config,
        optimiser=replace(config.optimiser, max_steps=WARM + steps),
        record=replace(config.record, log_every=1, sample_every=NEVER, checkpoint_every=NEVER),
    )
    with tempfile.TemporaryDirectory() as folder:
        Trainer(config, data, Path(folder), "cpu").train()
        lines = read_metrics(Path(folder) / "metrics.jsonl")
    return statistics.median(line.samples_per_second for line in lines[WARM:])


def main(arguments: Arguments) -> None:
    torch.set_num_threads(arguments.threads)
    preset = load_config(arguments.preset)
    once = replace(preset, data=replace(preset.data, limit=arguments.images))
    changes = Augmentation(flip=True, shift=1.5, rotate=10, zoom=0.1)
    live = replace(once, data=replace(once.data, encode="live", augment=changes))
    batch_size, seed = once.optimiser.batch_size, once.optimiser.seed
    data = load_training_set(live, arguments.data_dir)
    assert isinstance(data.latents, LiveLatents)
    images, chosen = data.latents.images, torch.arange(batch_size)
    augmenting = seconds(lambda: augment(images[: len(chosen)], changes, seed, 0, chosen), arguments.batches)
    with load_batches(data, live, Objective()) as stream:
        loading = seconds(lambda: next(stream), arguments.batches)
    step = training_rate(once, load_training_set(once, arguments.data_dir), arguments.steps)
    together = training_rate(live, data, arguments.steps)
    loader = batch_size / loading
    record: dict[str, Any] = {
        "preset": arguments.preset,
        "splats": data.representation.latent_shape[0],
        "iterations": data.representation.settings.iterations,
        "batch_size": batch_size,
        "mixed_precision": live.optimiser.mixed_precision,
        "augment": asdict(changes),
        "augment_images_per_second": len(chosen) / augmenting,
        "loader_images_per_second": loader,
        "training_images_per_second_once": step,
        "training_images_per_second_live": together,
        "loader_ratio": loader / step,
        "threads": arguments.threads,
        "machine": machine_words(),
        "versions": library_versions(),
    }
    write_json(arguments.out, record)
    print(f"loader {loader:.0f} images/s, training {step:.0f} from stored latents, {together:.0f} with live encoding")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
