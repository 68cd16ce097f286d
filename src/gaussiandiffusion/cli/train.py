"""`gaussiandiffusion train`: train a model from a preset or a file of settings."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from gaussiandiffusion.cli.checks import check_folder, check_images, check_installed, check_model, check_template
from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.names import check_size
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.presets import load_config, presets, to_flat


@dataclass(frozen=True)
class Command:
    """Train a model; writes checkpoints, metrics.jsonl, sample grids and at the end pipeline/ and training.json.

    Example: gaussiandiffusion train mnist --data-dir DIR --output-dir runs/mnist --max-steps 5000
    """

    preset: tyro.conf.Positional[str]
    """Preset (mnist) or a .toml or .json file of the settings below."""
    output_dir: Path | None = None
    """Folder to write to; default: runs/PRESET."""
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    resume: bool = False
    """Go on from the newest checkpoint in the output folder."""
    minutes: float | None = None
    """Stop after so many minutes, with the state saved; go on with --resume, there or elsewhere."""
    device: Device = "auto"
    """Where to compute."""
    settings: Annotated[TrainConfig, tyro.conf.arg(name="")] = field(default_factory=TrainConfig)

    def run(self) -> None:
        until = math.inf if self.minutes is None else time.perf_counter() + 60 * self._checked(self.minutes)
        folder = self.output_dir or Path("runs") / Path(self.preset).stem
        self._check(folder)
        from gaussiandiffusion.cli.device import resolve
        from gaussiandiffusion.training import checkpoint
        from gaussiandiffusion.training.latents import load_training_set
        from gaussiandiffusion.training.trainer import Trainer

        device = resolve(self.device)
        if self.resume and checkpoint.checkpoints(folder):
            checkpoint.check_same(folder, self.settings)  # before the data are encoded
        data = load_training_set(self.settings, self.data_dir, folder / "pairs", device.type)
        trainer = Trainer(self.settings, data, folder, device.type)
        if trainer.train(resume=self.resume, until=until):
            print(f"trained {trainer.step} steps: {folder}/pipeline (try: sample --model {folder}/pipeline)")
        else:
            after = f" after {self.minutes:g} minutes" if time.perf_counter() >= until else ""
            steps = f"step {trainer.step} of {trainer.config.optimiser.max_steps}"
            print(f"stopped{after} at {steps}, state saved: go on with --resume, {folder}")

    def _check(self, folder: Path) -> None:
        """Refuse what can be told to be wrong before PyTorch is imported and anything is encoded."""
        check_installed("train", "training", "accelerate", "tensorboard")
        check_folder(folder)
        check_size(self.settings.network.size)
        teacher, start = self.settings.teacher, self.settings.representation.start
        for model in (teacher.model, teacher.weaker):
            if model is not None:
                check_model(model)
        if teacher.model is None:
            check_images(self.settings.data.source)
            check_template(start)

    @staticmethod
    def _checked(minutes: float) -> float:
        if not 0 < minutes < math.inf:
            raise InputError(f"minutes must be > 0, not {minutes:g}")
        return minutes


def parse(argv: list[str], prog: str) -> Any:
    """Flags over the preset's values, so that --help shows what the preset says."""
    argv = _flags(argv)
    name = next((argument for argument in argv[:1] if not argument.startswith("-")), None)
    settings = load_config(name) if name else TrainConfig()
    default = Command(preset=name or tyro.MISSING, settings=settings)
    return tyro.cli(
        Command,
        args=argv,
        prog=prog,
        default=default,
        description=f"{Command.__doc__}\n\nPresets: {', '.join(presets())}",
    )


def _flags(argv: list[str]) -> list[str]:
    """Flags as tyro takes them: `--KEY True|False`, typed like every other setting, is its `--KEY` or `--no-KEY`."""
    switches = {name for name, value in to_flat(TrainConfig()).items() if isinstance(value, bool)}
    words: list[str] = []
    for word in argv:
        if word == "--model" or word.startswith("--model="):
            print("gaussiandiffusion: --model of a network's size is now called --network", file=sys.stderr)
            word = f"--network{word.removeprefix('--model')}"
        key = words[-1].removeprefix("--").replace("-", "_") if words else ""
        if key in switches and words[-1].startswith("--") and word in ("True", "False"):
            if word == "False":
                table, dot, name = words[-1].removeprefix("--").rpartition(".")
                words[-1] = f"--{table}{dot}no-{name}"
        else:
            words.append(word)
    return words
