"""How long a training will take, told before it begins: some images are fitted and some steps taken for it."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding.encoder import BLOCK
from gaussiandiffusion.encoding.template import IMAGES, ROUNDS
from gaussiandiffusion.rendering.cpu.tiles import WHOLE
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.encoder import LEARNED, kept_template, unlearned_encoder
from gaussiandiffusion.training.latents import STATISTICS_IMAGES, TrainingSet, sample_training_set
from gaussiandiffusion.training.minutes import budget_minutes
from gaussiandiffusion.training.trainer import Trainer

SAMPLE = 16  # images that are fitted for it
SECONDS, STEPS = 3.0, 20  # that steps are timed for, and how many at most


@dataclass(frozen=True)
class Estimate:
    """Seconds of a training's parts; None: there is no such part."""

    template: float | None
    encoding: float | None
    training: float

    @property
    def total(self) -> float:
        """Seconds in all."""
        return (self.template or 0) + (self.encoding or 0) + self.training

    def words(self, most: float | None = None) -> str:
        """As it is told: "about 11 minutes on this machine: template 0.5, encoding 0.3, training 10".

        Args:
            most: minutes after which it will be stopped.
        """
        name, length = ("hours", 3600) if self.total >= 2 * 3600 else ("minutes", 60)
        parts = [("template", self.template), ("encoding", self.encoding), ("training", self.training)]
        told = ", ".join(f"{part} {_rounded(value / length)}" for part, value in parts if value is not None)
        stopped = f" (to be stopped after {most:g} minutes)" if most is not None and 60 * most < self.total else ""
        return f"about {_rounded(self.total / length)} {name} on this machine: {told}{stopped}"


def estimate(
    images: ImageSet, config: TrainConfig, device: str, *, template: Path | None = None, done: float = 0.0
) -> Estimate:
    """Time a training's parts on a few of its images; nothing of it is kept.

    Args:
        device: that it will run on.
        template: the file that may hold its template already.
        done: share of its steps that are behind it.
    """
    if config.representation.kind == "pixels":
        return Estimate(None, None, _training(sample_training_set(images, config), config, device) * (1 - done))
    encoder = unlearned_encoder(images, config)
    chosen = images[np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).astype(int)]
    encoder.encode(chosen.images[:1])  # compiles, or loads what is compiled
    started = time.perf_counter()
    encoder.encode(chosen.images)
    each = (time.perf_counter() - started) / len(chosen)
    learned = config.representation.start == LEARNED and kept_template(images, config, template) is None
    once = config.data.encode == "once"
    batch = chosen[np.arange(min(len(images), config.optimiser.batch_size)) % len(chosen)]
    return Estimate(
        template=ROUNDS * _fitting(min(IMAGES, len(images)), each, images) if learned else None,
        encoding=_fitting(len(images) if once else min(len(images), STATISTICS_IMAGES), each, images),
        training=_training(sample_training_set(batch, config), config, device) * (1 - done),
    )


def estimate_encoded(data: TrainingSet, config: TrainConfig, device: str, *, done: float = 0.0) -> Estimate:
    """The same of sets that are encoded already: only steps take time."""
    return Estimate(None, None, _training(data, config, device) * (1 - done))


def _fitting(count: int, each: float, images: ImageSet) -> float:
    """Seconds for so many images, given those of one: a thread fits a block at a time; of large ones all fit one."""
    if max(images.images.shape[2:]) > WHOLE:
        return count * each
    return each * max(count / torch.get_num_threads(), min(count, BLOCK))


def _training(data: TrainingSet, config: TrainConfig, device: str) -> float:
    """Seconds of all steps."""
    optimiser = config.optimiser
    if optimiser.budget is not None:
        return 60 * budget_minutes(optimiser.budget)
    with tempfile.TemporaryDirectory() as folder:
        return Trainer(config, data, Path(folder), device).time_steps(SECONDS, STEPS).seconds * optimiser.max_steps


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{max(value, 0.1):.1f}"
