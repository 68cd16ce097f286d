"""`training.json`: what a training cost, from its own log."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from gaussiandiffusion.evaluation.compute import parameter_count, training_flops
from gaussiandiffusion.evaluation.report import library_versions, machine_words
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.data import TrainingSet

FILE = "training.json"


def training_record(
    config: TrainConfig, data: TrainingSet, network: Any, folder: Path, step: int, seconds_per_step: float | None
) -> dict[str, Any]:
    """Settings and cost of a training as far as `step`.

    Args:
        folder: of the training, with `metrics.jsonl`.
        seconds_per_step: that the budget was computed with, if there was one.
    """
    batch = config.batch_size * config.accumulation
    flops = training_flops(network, data.representation, data.num_classes)
    return {
        "config": config.to_dict(),
        "representation": data.representation.describe(),
        "encoding_psnr_train_mean": data.psnr,
        "parameters": parameter_count(network),
        "steps": step,
        "samples_seen": step * batch,
        "flops_per_sample": flops,
        "flops": flops * step * batch,
        "budget_seconds_per_step": seconds_per_step,
        **_clock(folder / "metrics.jsonl", batch * config.log_every),
        "machine": machine_words(),
        "versions": library_versions(),
    }


def _clock(log: Path, samples_per_line: int) -> dict[str, Any]:
    """Wall-clock of the steps by the log, without encoding, saving and sample grids."""
    rates = [json.loads(line)["samples_per_second"] for line in log.read_text().splitlines()] if log.is_file() else []
    if not rates:
        return {"seconds": None, "samples_per_second_median": None}
    return {
        "seconds": sum(samples_per_line / rate for rate in rates),
        "samples_per_second_median": statistics.median(rates),
    }
