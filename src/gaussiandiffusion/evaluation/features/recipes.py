"""What a feature network is and how it is trained, by data set."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from gaussiandiffusion.data.affine import AffineRange
from gaussiandiffusion.ground.errors import InputError

STILL = AffineRange(rotation=0, shift=0, log_scale=0, shear=0)


@dataclass(frozen=True)
class ClassifierConfig:
    """A fixed schedule: nothing is chosen on the test split, and the last average is what is saved.

    Attributes:
        source: data-set name or image source with labels.
        out: folder of the model.
        data_dir: where local copies of the data lie.
        limit: use the first so many images of each split (default: all).
        seed: of weights, order and augmentation.
        epochs: passes over the train split.
        batch_size: images a step.
        width: channels of the first convolutions.
        num_features: length of the feature vector.
        channels: of each convolution, instead of `width`.
        strides: of each convolution.
        pooling: of the last map: a weight for every place, or the largest value.
        mirrored: features are the mean of an image's and of its mirror image's.
        leave_out: attributes that are not learned.
        whiten: the first convolution makes the principal components of 3x3 pixels, and stays so.
        optimizer: AdamW, or SGD with Nesterov's momentum 0.9.
        learning_rate: the highest of the one-cycle schedule.
        warmup: share of the steps before it.
        weight_decay: the optimizer's.
        label_smoothing: share of the target spread over all classes.
        logit_scale: of the last layer's outputs while it is trained; saved weights hold it.
        ema_decay: of the averaged weights, a step.
        affine: range of the augmentation.
        flip: mirror half of the images.
        crop: shift by whole pixels, at most so many, mirrored at the edge.
        mixed_precision: of convolutions; bf16 is slow on processors without it.
    """

    source: Annotated[str, tyro.conf.Positional]
    out: Path
    data_dir: Path | None = None
    limit: int | None = None
    seed: int = 0
    epochs: int = 20
    batch_size: int = 256
    width: int = 16
    num_features: int = 128
    channels: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None
    pooling: Literal["place", "max"] = "place"
    mirrored: bool = False
    leave_out: tuple[str, ...] = ()
    whiten: bool = False
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 4e-3
    warmup: float = 0.2
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    logit_scale: float = 1.0
    ema_decay: float = 0.998
    affine: AffineRange = field(default_factory=AffineRange)
    flip: bool = False
    crop: int = 0
    mixed_precision: Literal["no", "bf16"] = "bf16"

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise InputError("epochs and batch_size must be at least 1")
        if self.crop < 0:
            raise InputError(f"crop={self.crop}: must be at least 0 pixels")


RECIPES: dict[str, dict[str, Any]] = {
    # Sprites always lie in the same place, and a mirrored one looks the other way.
    "sprites": {
        "epochs": 8,
        "width": 12,
        "num_features": 96,
        "leave_out": ("frame",),
        "ema_decay": 0.99,
        "affine": dataclasses.replace(STILL, shift=1 / 32),
        "mixed_precision": "no",
    },
    "cifar10": {
        "epochs": 18,
        "batch_size": 128,
        "num_features": 96,
        "channels": (24, 48, 64, 112, 128, 128, 96),
        "strides": (1, 2, 1, 2, 1, 2, 1),
        "pooling": "max",
        "mirrored": True,
        "whiten": True,
        "optimizer": "sgd",
        "learning_rate": 0.2,
        "weight_decay": 5e-4,
        "label_smoothing": 0.1,
        "logit_scale": 0.125,
        "affine": STILL,
        "flip": True,
        "crop": 2,
        "mixed_precision": "no",
    },
}


def recipe(source: str, out: Path) -> ClassifierConfig:
    """The defaults for a data set: those of `ClassifierConfig`, where it has none of its own."""
    return ClassifierConfig(source=source, out=out, **RECIPES.get(Path(source).name, {}))


def command_line(config: ClassifierConfig) -> str:
    """The command that repeats a training, with places left open."""
    words = ["python", "-m", "gaussiandiffusion.evaluation.features.training"]
    words += [Path(config.source).name, "--out", "DIR"]
    words += ["--data-dir", "DIR"] if config.data_dir else []
    words += ["--seed", str(config.seed), "--epochs", str(config.epochs)]
    usual = recipe(config.source, config.out)
    said = ("source", "out", "data_dir", "seed", "epochs", "affine")
    for option in dataclasses.fields(ClassifierConfig):
        value = getattr(config, option.name)
        if option.name not in said and value != getattr(usual, option.name):
            words += _flag(option.name, value)
    for option in dataclasses.fields(AffineRange):
        value = getattr(config.affine, option.name)
        if value != getattr(usual.affine, option.name):
            words += _flag(f"affine.{option.name}", value)
    return shlex.join(words)


def plain(config: ClassifierConfig) -> dict[str, Any]:
    """The settings as they are saved, without places."""
    values = dataclasses.asdict(config)
    del values["out"], values["data_dir"]
    values |= {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return values | {"source": Path(config.source).name}


def _flag(name: str, value: object) -> list[str]:
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", *(map(str, value) if isinstance(value, tuple) else [str(value)])]
