"""The training that is timed, step by step and over minutes: canonical sets in colour, the network `base`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.pictures import Pictures
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.presets import with_settings

# Rates and weights of canonical sets of CIFAR-10.
LEARNING: dict[str, Any] = {
    "prediction": "flow", "render_weight": 10.0, "render_below": 0.5, "learning_rate": 6e-4, "warmup_steps": 100,
    "ema_decay": 0.999,
}  # fmt: skip
NEVER = 10**9  # steps between what is only kept at the end


@dataclass(frozen=True)
class Size:
    """How large the training is.

    Attributes:
        network: by name.
        splats: K.
        batch: samples a step.
        iterations: of the encoder; None: its own.
    """

    network: str = "base"
    splats: int = 128
    batch: int = 256
    iterations: int | None = None


QUICK = Size("tiny", 16, 4, 10)


def size_of(quick: bool) -> Size:
    return QUICK if quick else Size()


def recipe(size: Size, pictures: Pictures, seed: int, **changes: Any) -> TrainConfig:
    """The configuration of a training on pictures, with some settings changed."""
    settings = {
        "data": pictures.source, "splats": size.splats, "iterations": size.iterations, "network": size.network,
        "batch_size": size.batch, "seed": seed, "mixed_precision": "bf16", "log_every": 20, "sample_every": NEVER,
        "checkpoint_every": NEVER, **LEARNING,
    }  # fmt: skip
    return with_settings(TrainConfig(), **(settings | changes))


def folder_of(kept: Path | None, scratch: Path, name: str) -> Path:
    """Where a training writes."""
    return scratch / name if kept is None else kept / name
