"""How fast networks learn on this machine: samples a second, and the share of its arithmetic that they use.

    python -m benchmarks.training --data-dir DIR

Each row differs from the first in one thing. Rates are of whole training steps, batches of 128, encoding done before
and the rendered-image loss included; operations are those of the network's matrix products and convolutions, forward
and backward, so that what the loss and the optimiser do counts as time alone.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import tyro

from benchmarks.shared.sections import Section, SectionArguments, results_file, run_sections
from gaussiandiffusion.evaluation.cost.flops import training_flops
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.training import optimisation
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import load_config, to_config, to_flat
from gaussiandiffusion.training.trainer import Trainer

IMAGES = 2048  # of the training split
SIDE = 2048  # of the square matrices whose product stands for the machine's best


@dataclass(frozen=True)
class Row:
    """A training: its preset, what is changed, and whether attention is left to PyTorch."""

    title: str
    preset: str = "mnist"
    changes: tuple[tuple[str, Any], ...] = (("compile", True),)
    fused_attention: bool = False


ROWS = {
    "splats": Row("24 splats, compiled"),
    "bfloat16": Row("in bfloat16, whatever the trial says", changes=(("compile", True), ("mixed_precision", "bf16"))),
    "float32": Row("in float32, whatever the trial says", changes=(("compile", True), ("mixed_precision", "no"))),
    "fused-attention": Row("attention by the fused kernel", fused_attention=True),
    "eager": Row("not compiled", changes=()),
    "unrendered": Row("no rendered-image loss", changes=(("compile", True), ("render_weight", 0.0))),
    "patches": Row("transformer on 49 patches", "mnist-patches"),
    "unet": Row("pixel U-Net, not compiled", "mnist-unet", ()),
    "unet-fused-attention": Row("pixel U-Net, attention by the fused kernel", "mnist-unet", (), fused_attention=True),
}


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Time training steps."""

    rows: tuple[str, ...] = tuple(ROWS)
    rounds: int = 3
    """How often each row's steps are timed, all rows in turn."""


def peak() -> Iterator[tuple[str, dict[str, Any]]]:
    """The rate of a large product of matrices, which no network reaches."""
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        a, b = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
        seconds = median_seconds({name: partial(torch.matmul, a, b)}, 9)[name]
        yield name, {"gflops_per_second": 2 * SIDE**3 / seconds / 1e9, "side": SIDE}


def steps(arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Seconds of a step of each row, all rows in turn."""
    with tempfile.TemporaryDirectory() as folder:
        trainers = {name: prepare(ROWS[name], arguments, Path(folder) / name) for name in arguments.rows}
        seconds: dict[str, list[float]] = {name: [] for name in trainers}
        for _ in range(1 if arguments.quick else arguments.rounds):
            for name, trainer in trainers.items():
                with attention(ROWS[name]):
                    seconds[name].append(trainer.time_steps().seconds)
        for name, trainer in trainers.items():
            median = statistics.median(seconds[name])
            rate = trainer.config.optimiser.batch_size / median
            flops = training_flops(trainer.model, trainer.data.representation)
            yield (
                name,
                {
                    "title": ROWS[name].title,
                    "precision": trainer.work.precision,
                    "seconds_per_step": median,
                    "samples_per_second": rate,
                    "gflops_per_sample": flops / 1e9,
                    "gflops_per_second": rate * flops / 1e9,
                },
            )


def prepare(row: Row, arguments: Arguments, folder: Path) -> Trainer:
    settings = to_flat(load_config(row.preset)) | {"limit": IMAGES, **dict(row.changes)}
    config = to_config(settings, row.preset)
    return Trainer(config, load_training_set(config, arguments.data_dir), folder, "cpu")


def attention(row: Row) -> AbstractContextManager[Any]:
    """The fused kernel in a training step, where the row asks for it."""
    if not row.fused_attention:
        return nullcontext()
    return patch.object(optimisation, "training_attention", lambda device: nullcontext())


def main(arguments: Arguments) -> None:
    sections: dict[str, Section] = {"peak": peak, "steps": lambda: steps(arguments)}
    out = arguments.out or results_file("training", arguments.quick)
    run_sections(out, sections, arguments.only, quick=arguments.quick)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
