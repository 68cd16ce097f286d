"""Train a feature network: `python -m gaussiandiffusion.evaluation.features.training mnist --out DIR`."""

from __future__ import annotations

import copy
import dataclasses
import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Int, UInt8
from torch import Tensor

from gaussiandiffusion.data import load_images
from gaussiandiffusion.data.affine import AffineRange, random_affine
from gaussiandiffusion.evaluation.features.inputs import unit_images
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.spaces import FeatureSpace, load_features
from gaussiandiffusion.evaluation.measures.accuracy import label_accuracy
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path, write_json
from gaussiandiffusion.ground.provenance import cores


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
        learning_rate: the highest of the one-cycle schedule.
        weight_decay: AdamW's.
        label_smoothing: share of the target spread over all classes.
        ema_decay: of the averaged weights, a step.
        affine: range of the augmentation.
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
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    ema_decay: float = 0.998
    affine: AffineRange = field(default_factory=AffineRange)

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise InputError("epochs and batch_size must be at least 1")


def train_classifier(
    images: UInt8[np.ndarray, "n c h w"],
    labels: Int[np.ndarray, " n"],
    config: ClassifierConfig,
    on_epoch: Callable[[int, float], None] | None = None,
) -> FeatureNetwork:
    """Train a network and return its exponentially averaged weights.

    Equal arguments and thread counts give equal weights. Convolutions run in bfloat16, weights stay float32.

    Args:
        images: square, of the train split.
        labels: from 0.
        config: the schedule.
        on_epoch: called after each epoch with its number, from 1, and its mean loss.

    Raises:
        InputError: labels are missing, or the images are not square.
    """
    if labels is None or len(labels) != len(images) or len(images) < 2:
        raise InputError("a classifier needs at least two images and one label for each")
    if images.shape[2] != images.shape[3]:
        raise InputError(f"a feature network needs square images, these are {list(images.shape[2:])}")
    generator = torch.Generator().manual_seed(config.seed)
    network = _new_network(images, labels, config).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]  # not in its signature
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    steps = config.epochs * math.ceil(len(images) / config.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=steps, pct_start=0.2
    )
    pixels, targets = unit_images(images), torch.from_numpy(labels.astype(np.int64))
    step = 0
    for epoch in range(1, config.epochs + 1):
        total = 0.0
        for chosen in _batches(len(images), config.batch_size, generator):
            batch = random_affine(pixels[chosen], config.affine, generator)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network.logits(batch.to(memory_format=torch.channels_last))
            loss = torch.nn.functional.cross_entropy(
                logits.float(), targets[chosen], label_smoothing=config.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            _update_average(average, network, min(config.ema_decay, step / (step + 10)))
            total += float(loss.detach()) * len(chosen)
        if on_epoch:
            on_epoch(epoch, total / len(images))
    return average


def save_classifier(network: FeatureNetwork, folder: Path) -> FeatureSpace:
    """Write `config.json` and bfloat16 weights.

    Returns:
        What was written, loaded back as a reader will see it.

    Raises:
        InputError: the folder cannot be written to.
    """
    halved = copy.deepcopy(network).bfloat16().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # likewise
    halved.save_pretrained(folder)
    return load_features(folder)


def main(config: ClassifierConfig) -> dict[str, Any]:
    """Train, save, measure the saved weights once on the test split, and write the card beside them.

    Returns:
        What `training.json` says.
    """
    train = load_images(config.source, split="train", data_dir=config.data_dir, limit=config.limit)
    test = load_images(config.source, split="test", data_dir=config.data_dir, limit=config.limit)
    if train.labels is None or test.labels is None:
        raise InputError(f"{config.source}: has no labels, and a classifier is trained on labels")
    if config.out.exists() and not config.out.is_dir():
        raise InputError(f"{config.out}: is a file; name a folder for the model")
    losses: list[float] = []

    def report(epoch: int, loss: float) -> None:
        losses.append(round(loss, 5))
        print(f"epoch {epoch}/{config.epochs}  loss {loss:.4f}", file=sys.stderr, flush=True)

    start = time.perf_counter()
    trained = train_classifier(train.images, train.labels, config, report)
    seconds = time.perf_counter() - start
    saved = save_classifier(trained, config.out)
    assert isinstance(saved.network, FeatureNetwork)
    record = {
        "command": command_line(config),
        "config": _plain(config),
        "data": {"name": train.name, "train": train.sha256, "test": test.sha256},
        "train_images": len(train.images),
        "test_images": len(test.images),
        "parameters": sum(weight.numel() for weight in saved.network.parameters()),
        "feature_layer": saved.layer,
        "feature_dimension": saved.dimension,
        "test_accuracy": label_accuracy(saved.network, test.images, test.labels),
        "epoch_losses": losses,
        "seconds": round(seconds, 1),
        "machine": f"{cores()}-core CPU",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    write_json(config.out / "training.json", record)
    with atomic_path(config.out / "README.md") as path:
        path.write_text(model_card(record))
    return record


def model_card(record: dict[str, Any]) -> str:
    """The card of a trained classifier, from its record alone."""
    name, config = record["data"]["name"], record["config"]
    count, accuracy = f"{record['test_images']:,}", f"{100 * record['test_accuracy']:.2f} %"
    effort = f"{record['train_images']:,} images, {config['epochs']} epochs"
    machine = f"{record['machine']}, {record['threads']} thread(s)"
    return f"""---
library_name: gaussiandiffusion
license: apache-2.0
---
# Features of {name}

A small convolutional classifier of {name}, the ruler of this package's Fréchet distances on that data:
features are its {record["feature_layer"]} layer ({record["feature_dimension"]} numbers, rectified).

| | |
| --- | --- |
| Test accuracy | {accuracy} of {count} images, with these bfloat16 weights |
| Parameters | {record["parameters"]:,} |
| Trained on | {effort}; {record["seconds"] / 60:.1f} minutes on a {machine} |
| Seed | {config["seed"]} |
| Chosen by | a fixed schedule: the last averaged weights; the test split was measured once, after |

```
{record["command"]}
```

Distances measured with it compare only with distances measured with the same file. A classifier's features
tell classes and strokes apart and may say little of faint noise; look at samples too.
"""


def command_line(config: ClassifierConfig) -> str:
    """The command that repeats a training, with places left open."""
    words = ["python", "-m", "gaussiandiffusion.evaluation.features.training"]
    words += [Path(config.source).name, "--out", "DIR"]
    words += ["--data-dir", "DIR"] if config.data_dir else []
    words += ["--seed", str(config.seed), "--epochs", str(config.epochs)]
    said = ("source", "out", "data_dir", "seed", "epochs", "affine")
    for option in dataclasses.fields(ClassifierConfig):
        value = getattr(config, option.name)
        if option.name not in said and value != option.default:
            words += [f"--{option.name.replace('_', '-')}", str(value)]
    for option in dataclasses.fields(AffineRange):
        value = getattr(config.affine, option.name)
        if value != option.default:
            words += [f"--affine.{option.name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _new_network(images: np.ndarray, labels: np.ndarray, config: ClassifierConfig) -> FeatureNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return FeatureNetwork(
            in_channels=images.shape[1],
            image_size=images.shape[2],
            num_classes=int(labels.max()) + 1,
            num_features=config.num_features,
            width=config.width,
        )


def _batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    yield from torch.randperm(count, generator=generator).split(batch_size)


@torch.no_grad()
def _update_average(average: FeatureNetwork, network: FeatureNetwork, decay: float) -> None:
    state = network.state_dict()
    for name, kept in average.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(state[name], 1 - decay)
        else:
            kept.copy_(state[name])


def _plain(config: ClassifierConfig) -> dict[str, Any]:
    plain = dataclasses.asdict(config)
    del plain["out"], plain["data_dir"]  # places, not settings
    return plain | {"source": Path(config.source).name}


if __name__ == "__main__":
    try:
        result = main(tyro.cli(ClassifierConfig))
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"test accuracy {result['test_accuracy']:.4f}, {result['seconds']:.0f} s", file=sys.stderr)
