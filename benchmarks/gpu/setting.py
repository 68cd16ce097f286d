"""What every section works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.deadline import Deadline
from benchmarks.gpu.rates import Rates


@dataclass(frozen=True)
class Setting:
    """One run of the command, as a section sees it.

    Attributes:
        clock: times on the device.
        rates: what the device can do; of nothing while that is being measured.
        deadline: of the section.
        scratch: a folder that is removed after the run.
        quick: everything in miniature.
        seed: of pictures, weights and samples.
        data_dir: folder with CIFAR-10; None: drawn pictures.
        minutes: of the short training; None: what is left.
        training_dir: where the training's folder is kept; None: nowhere.
    """

    clock: Clock
    rates: Rates
    deadline: Deadline
    scratch: Path
    quick: bool = False
    seed: int = 0
    data_dir: Path | None = None
    minutes: float | None = None
    training_dir: Path | None = None

    @property
    def device(self) -> torch.device:
        return self.clock.device
