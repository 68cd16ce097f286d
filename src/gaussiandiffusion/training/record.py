"""`training.json`: what a training cost, from its own log."""

from __future__ import annotations

import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

from gaussiandiffusion.evaluation.cost.flops import parameter_count, training_flops
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.models import Network
from gaussiandiffusion.training.checkpoint import TrainState
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import TrainingSet
from gaussiandiffusion.training.metrics import read_metrics

FILE = "training.json"


def training_record(
    config: TrainConfig, data: TrainingSet, network: Network, folder: Path, state: TrainState
) -> dict[str, Any]:
    """Settings and cost of a training as far as a state.

    Args:
        folder: of the training, with `metrics.jsonl`.
    """
    samples = samples_per_step(config, data)
    flops = training_flops(network, data.representation)
    return {
        "config": config.to_dict(),
        "representation": data.representation.describe(),
        "encoding_psnr_train_mean": data.psnr,
        "parameters": parameter_count(network),
        "steps": state.step,
        "samples_seen": state.step * samples,
        "flops_per_sample": flops,
        "flops": flops * state.step * samples,
        "budget_seconds_per_step": state.seconds_per_step,
        "precision": state.precision,
        **_clock(folder / "metrics.jsonl", samples),
        "machine": machine_words(),
        "versions": library_versions(),
    }


def samples_per_step(config: TrainConfig, data: TrainingSet) -> int:
    """Samples that a step sees: a set smaller than a batch is the batch."""
    return min(config.optimiser.batch_size, len(data)) * config.optimiser.accumulation


def _clock(log: Path, samples: int) -> dict[str, Any]:
    """Wall-clock by the log of steps of so many samples, without encoding, saving and sample grids."""
    lines = read_metrics(log)
    if not lines:
        return {"seconds": None, "samples_per_second_median": None}
    rates = [line.samples_per_second for line in lines]
    steps = [line.step for line in lines]
    taken = [step - before for before, step in pairwise([0, *steps])]  # log_every may change when training goes on
    return {
        "seconds": sum(count * samples / rate for count, rate in zip(taken, rates, strict=True)),
        "samples_per_second_median": statistics.median(rates),
    }
