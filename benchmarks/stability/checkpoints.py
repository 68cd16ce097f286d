"""Which of a training's snapshots are compared, and how their digits are kept in a result."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import UInt8
from numpy import ndarray

from benchmarks.shared.training_records import training_record
from gaussiandiffusion.rendering.media import grid_image

SHARES = (1 / 6, 1 / 2, 1.0)  # of the FLOPs that the shorter training has


@dataclass(frozen=True)
class Checkpoint:
    """A model on its way: its pipeline folder, steps and training FLOPs so far."""

    folder: Path
    steps: int
    flops: float


def checkpoints(run: Path) -> list[Checkpoint]:
    """All snapshots of a training and its end, in order."""
    record = training_record(run)
    per_step = record["flops"] / record["steps"]
    found = {int(path.name.removeprefix("step-")): path for path in (run / "snapshots").glob("step-*")}
    found[record["steps"]] = run / "pipeline"
    return [Checkpoint(folder, steps, steps * per_step) for steps, folder in sorted(found.items())]


def equal_flops(runs: Mapping[str, Path]) -> dict[str, list[Checkpoint]]:
    """For each training the checkpoints nearest to shares of the FLOPs that all of them reached."""
    known = {name: checkpoints(run) for name, run in runs.items()}
    common = min(found[-1].flops for found in known.values())
    return {
        name: [min(found, key=lambda c, goal=share * common: abs(c.flops - goal)) for share in SHARES]
        for name, found in known.items()
    }


def picture_text(images: UInt8[ndarray, "n c h w"]) -> str:
    """Digits, ten a row, as the base64 of a PNG."""
    file = io.BytesIO()
    grid_image(torch.from_numpy(images), columns=10).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
