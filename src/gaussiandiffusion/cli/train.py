"""`gaussiandiffusion train`: train a model from a preset, a file of settings, or a folder of pictures."""

from __future__ import annotations

import math
import re
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gaussiandiffusion.cli.checks import check_folder, check_images, check_installed, check_model, check_template
from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.data.sets import holds_sets
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.names import check_size
from gaussiandiffusion.training.chosen import OWN, choose
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.folder import check_free, checkpoints, first_process, occupied
from gaussiandiffusion.training.presets import at_home, presets, to_flat

if TYPE_CHECKING:
    from gaussiandiffusion.training.latents import TrainingSet


@dataclass(frozen=True)
class Command:
    """Train a model; writes checkpoints, metrics.jsonl, sample grids and at the end pipeline/ and training.json.

    Example: gaussiandiffusion train ./icons
    """

    preset: tyro.conf.Positional[str]
    """Your pictures (a folder, zip, .npz, .parquet or image), encoded sets (.safetensors, a folder of shards, or
    another system's file), a preset (mnist), or a .toml or .json file of the settings below."""
    output_dir: Path | None = None
    """Folder to write to; default: runs/NAME."""
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    resume: bool = False
    """Go on from the newest checkpoint in the output folder."""
    overwrite: bool = False
    """Replace the earlier training in the output folder."""
    minutes: float | None = None
    """Stop after so many minutes, with the state saved; go on with --resume, there or elsewhere."""
    device: Device = "auto"
    """Where to compute."""
    settings: Annotated[TrainConfig, tyro.conf.arg(name="")] = field(default_factory=TrainConfig)
    name: tyro.conf.Suppress[str] = "model"

    def run(self) -> None:
        until = math.inf if self.minutes is None else time.perf_counter() + 60 * self._checked(self.minutes)
        folder = self.output_dir or Path("runs") / self.name
        self._check(folder)
        with occupied(folder):
            if first_process():
                check_free(folder, resume=self.resume, overwrite=self.overwrite)
            self._train(folder, until)

    def _train(self, folder: Path, until: float) -> None:
        from gaussiandiffusion.cli.device import resolve
        from gaussiandiffusion.training import checkpoint
        from gaussiandiffusion.training.trainer import Trainer

        device = resolve(self.device)
        if self.resume and checkpoints(folder):
            checkpoint.check_same(folder, self.settings)  # before the data are encoded
        data = self._learn_from(folder, device.type)
        trainer = Trainer(self.settings, data, folder, device.type)
        if trainer.train(resume=self.resume, overwrite=self.overwrite, until=until):
            print(f"trained {trainer.step} steps: {folder}/pipeline (try: {self._next(folder, data)})")
        else:
            after = f" after {self.minutes:g} minutes" if time.perf_counter() >= until else ""
            steps = f"step {trainer.step} of {trainer.config.optimiser.max_steps}"
            print(f"stopped{after} at {steps}, state saved: go on with --resume, {folder}")

    def _learn_from(self, folder: Path, device: str) -> TrainingSet:
        """The training set, after a word on how long all will take."""
        from gaussiandiffusion.training import checkpoint, latents
        from gaussiandiffusion.training.budget import tell
        from gaussiandiffusion.training.encoder import TEMPLATE_FILE
        from gaussiandiffusion.training.estimate import estimate, estimate_encoded

        settings, template = self.settings, folder / TEMPLATE_FILE
        if settings.teacher.model is not None:
            return latents.load_training_set(settings, None, folder / "pairs", device)
        done = checkpoint.share_done(folder, settings) if self.resume else 0.0
        if holds_sets(settings.data.source):
            data = latents.load_training_set(settings, None)
            found = estimate_encoded(data, settings, device, done=done)
            if first_process():
                tell(found.words(self.minutes))
            return data
        images = latents.load_training_images(settings, self.data_dir)
        found = estimate(images, settings, device, template=template, done=done)
        if first_process():
            tell(found.words(self.minutes))
        return latents.encode_training_set(images, settings, template)

    def _next(self, folder: Path, data: TrainingSet) -> str:
        """What to type next, with the first class if there are any."""
        names = next(iter(data.conditions.spec.attributes.items()), None)
        if names is None:
            label = ""
        elif len(data.conditions.spec.attributes) == 1:
            label = f" --label {_quoted(names[1][0])}"
        else:
            label = f" --label {_quoted(f'{names[0]}={names[1][0]}')}"
        return f"gaussiandiffusion sample --model {folder}/pipeline{label}"

    def _check(self, folder: Path) -> None:
        """Refuse what can be told to be wrong before PyTorch is imported and anything is encoded."""
        check_installed("train", "training", "accelerate", "tensorboard")
        check_folder(folder)
        check_size(self.settings.network.size)
        teacher, start = self.settings.teacher, self.settings.representation.start
        for model in (teacher.model, teacher.weaker, self.settings.network.begin):
            if model is not None:
                check_model(model)
        if teacher.model is None:
            self._check_source(folder)
            check_template(start)
        else:
            self.settings.data.reading.refuse(teacher.model, "a teacher, from which all is learned")

    def _check_source(self, folder: Path) -> None:
        source = self.settings.data.source
        if not source:
            raise InputError(f"the preset {OWN} needs your pictures: gaussiandiffusion train ./FOLDER")
        check_images(source)
        if not holds_sets(source):
            self.settings.data.reading.refuse(source, "pictures")
        place = Path(source).resolve()
        if place.is_dir() and folder.resolve().is_relative_to(place):
            raise InputError(
                f"{folder}: lies among the pictures of {source}, and what is written there would be taken for some; "
                "give an --output-dir elsewhere"
            )

    @staticmethod
    def _checked(minutes: float) -> float:
        if not 0 < minutes < math.inf:
            raise InputError(f"minutes must be > 0, not {minutes:g}")
        return minutes


def parse(argv: list[str], prog: str) -> Any:
    """Flags over the preset's values, so that --help shows what the preset says.

    Raises:
        InputError: no preset, file or pictures are named before the flags, or what is named is none.
    """
    argv = _flags(argv)
    chosen = None
    if argv and not argv[0].startswith("-"):
        chosen = choose(argv[0])
        if chosen.note is not None:
            print(f"gaussiandiffusion: {chosen.note}", file=sys.stderr)
    elif argv and not {"-h", "--help"}.intersection(argv):
        raise InputError(f"{argv[0]}: first name a preset, a file or your pictures: gaussiandiffusion train NAME ...")
    if chosen is None:
        default = Command(preset=tyro.MISSING)
    else:
        default = Command(preset=argv[0], settings=chosen.settings, name=chosen.name)
    command = tyro.cli(
        Command,
        args=argv,
        prog=prog,
        default=default,
        description=f"{Command.__doc__}\n\nPresets: {', '.join(presets())}",
    )
    return replace(command, settings=at_home(_of_one_length(command.settings, argv)))


def _of_one_length(settings: TrainConfig, argv: list[str]) -> TrainConfig:
    """Settings whose number of steps, if a flag says it, counts instead of the preset's budget.

    Raises:
        InputError: flags say both.
    """
    given = {word.partition("=")[0].rpartition(".")[2].removeprefix("--").replace("_", "-") for word in argv}
    if "max-steps" not in given or settings.optimiser.budget is None:
        return settings
    if "budget" in given:
        raise InputError("--budget is a time, in which as many steps are taken as it holds; leave --max-steps out")
    return replace(settings, optimiser=replace(settings.optimiser, budget=None))


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w.=-]+", word) else f"'{word}'"


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
