"""Train a feature network: `python -m gaussiandiffusion.evaluation.features.training mnist --out DIR`."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.evaluation.features.card import model_card
from gaussiandiffusion.evaluation.features.classifier import train_classifier
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.recipes import RECIPES, ClassifierConfig, command_line, plain, recipe
from gaussiandiffusion.evaluation.features.spaces import FeatureSpace, load_features
from gaussiandiffusion.evaluation.measures.accuracy import LabelAccuracy, right_verdicts, verdicts
from gaussiandiffusion.evaluation.measures.lookalikes import ALIKE, lookalikes
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path, write_json
from gaussiandiffusion.ground.provenance import cores


def save_classifier(network: FeatureNetwork, folder: Path) -> FeatureSpace:
    """Write `config.json` and bfloat16 weights.

    Returns:
        What was written, loaded back as a reader will see it.

    Raises:
        InputError: the folder cannot be written to.
    """
    halved = copy.deepcopy(network).bfloat16().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in its signature
    halved.save_pretrained(folder)
    return load_features(folder)


def main(config: ClassifierConfig) -> dict[str, Any]:
    """Train, save, measure the saved weights once on the test split, and write the card beside them.

    Returns:
        What `training.json` says.
    """
    train, test = (
        load_images(config.source, split=split, data_dir=config.data_dir, limit=config.limit)
        for split in ("train", "test")
    )
    if train.conditions is None or test.conditions is None:
        raise InputError(f"{config.source}: has no labels, and a classifier is trained on labels")
    if config.out.exists() and not config.out.is_dir():
        raise InputError(f"{config.out}: is a file; name a folder for the model")
    losses: list[float] = []

    def report(epoch: int, loss: float) -> None:
        losses.append(round(loss, 5))
        print(f"epoch {epoch}/{config.epochs}  loss {loss:.4f}", file=sys.stderr, flush=True)

    start = time.perf_counter()
    learned = train.conditions.without(config.leave_out)
    trained = train_classifier(train.images, learned, config, report)
    return write_trained(trained, config, train, test, losses, time.perf_counter() - start)


def write_trained(
    trained: FeatureNetwork, config: ClassifierConfig, train: ImageSet, test: ImageSet, losses: list[float],
    seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """Save a trained network, measure what was saved, and write record and card beside it.

    Returns:
        The record.
    """
    saved = save_classifier(trained, config.out)
    assert isinstance(saved.network, FeatureNetwork)
    record = {
        "command": command_line(config),
        "config": plain(config),
        "data": {"name": train.name, "train": train.sha256, "test": test.sha256},
        "train_images": len(train),
        "test_images": len(test),
        "parameters": sum(weight.numel() for weight in saved.network.parameters()),
        "feature_layer": saved.layer,
        "feature_dimension": saved.dimension,
        **_measured(saved.network, test),
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


def _measured(network: FeatureNetwork, test: ImageSet) -> dict[str, Any]:
    """Accuracy of all attributes, of each, and where pictures cannot tell."""
    assert test.conditions is not None
    right = right_verdicts(network, verdicts(network, test.images), test.conditions)
    accuracy = LabelAccuracy.of(right)
    if accuracy is None:
        raise InputError(f"{test.name}: its test split has none of the attributes of its train split")
    if len(right) == 1:
        return {"test_accuracy": accuracy.all}
    alike = {name: _alike(test.images, test.conditions, name, told) for name, told in right.items()}
    return {
        "test_accuracy": accuracy.all,
        "attribute_accuracy": accuracy.attributes,
        "lookalikes": {name: shown for name, shown in alike.items() if shown["images"]},
    }


def _alike(images: np.ndarray, conditions: ConditionColumns, name: str, right: np.ndarray) -> dict[str, Any]:
    untold = lookalikes(images, conditions, name).sum(axis=1) > 1
    same = lookalikes(images, conditions, name, math.inf).sum(axis=1) > 1
    return {
        "images": int(untold.sum()),
        "same": int(same.sum()),
        "psnr": ALIKE,
        "accuracy_elsewhere": float(right[~untold].mean()) if (~untold).any() else 0.0,
    }


def parse(words: Sequence[str]) -> ClassifierConfig:
    """The settings that a command line asks for, the defaults being those for its data set."""
    named = next((word for word in words if word in RECIPES), None)
    if named is None:
        return tyro.cli(ClassifierConfig, args=words)
    usual = recipe(named, Path())
    return tyro.cli(ClassifierConfig, args=words, default=replace(usual, source=tyro.MISSING, out=tyro.MISSING))


if __name__ == "__main__":
    try:
        result = main(parse(sys.argv[1:]))
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"test accuracy {result['test_accuracy']:.4f}, {result['seconds']:.0f} s", file=sys.stderr)
