"""Do conditional samples show what they were asked to show? A classifier is the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from gaussiandiffusion.evaluation.features.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.features.spaces import BATCH_SIZE
from gaussiandiffusion.ground.attributes import CLASS, ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError


@runtime_checkable
class Classifier(Protocol):
    """Anything that names the class of images, [N]."""

    def classify(self, images: Tensor) -> Tensor: ...


@runtime_checkable
class Several(Protocol):
    """A classifier that knows what its attributes and their values are called; its verdicts are [N, A]."""

    spec: ConditionSpec

    def classify(self, images: Tensor) -> Tensor: ...

    def most_probable(self, logits: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class LabelAccuracy:
    """How often a judge sees what was asked.

    Attributes:
        all: share of images with every attribute right.
        attributes: share right of each attribute that was asked and that the judge knows.
    """

    all: float
    attributes: dict[str, float]

    @classmethod
    def of(cls, right: dict[str, Bool[np.ndarray, " n"]]) -> LabelAccuracy | None:
        """From the verdicts of each attribute; None where there is no attribute."""
        if not right:
            return None
        every = np.logical_and.reduce(list(right.values()))
        return cls(float(every.mean()), {name: float(each.mean()) for name, each in right.items()})


def label_accuracy(
    network: Classifier,
    images: UInt8[np.ndarray, "n c h w"],
    labels: Int[np.ndarray, "n ..."],
    *,
    batch_size: int = BATCH_SIZE,
) -> float:
    """Fraction of images that a classifier assigns to their label, or to all their labels.

    Args:
        network: the judge; a claim about a generator needs one that its makers did not tune on.
        images: as saved.
        labels: the class each image was asked to show, or an index for each attribute of the judge.
        batch_size: images at a time.

    Returns:
        A fraction in [0, 1].

    Raises:
        InputError: no images, not uint8, or not one label for each image.
    """
    if len(labels) != len(images):
        raise InputError(f"{len(images)} images came with {len(labels)} labels: one label an image is needed")
    seen = verdicts(network, images, batch_size=batch_size)
    expected = np.asarray(labels, np.int64).reshape(len(images), -1)
    if seen.shape != expected.shape:
        raise InputError(f"the judge names {seen.shape[1]} attributes, the labels are of {expected.shape[1]}")
    return float((seen == expected).all(axis=1).mean())


@torch.no_grad()
def verdicts(
    network: Classifier, images: UInt8[np.ndarray, "n c h w"], *, batch_size: int = BATCH_SIZE
) -> Int[np.ndarray, "n a"]:
    """What a judge sees in each image, an index for each attribute.

    Raises:
        InputError: no images, or not uint8.
    """
    if len(images) == 0:
        raise InputError("label accuracy needs at least one image, none were given")
    seen = []
    for start in range(0, len(images), batch_size):
        batch = unit_images(images[start : start + batch_size])
        check_unit_images(batch)
        seen.append(network.classify(batch).reshape(len(batch), -1))
    return torch.cat(seen).numpy()


def right_verdicts(
    network: Classifier, seen: Int[np.ndarray, "n a"], asked: ConditionColumns
) -> dict[str, Bool[np.ndarray, " n"]]:
    """Of each attribute that was asked and that the judge knows, which images it sees as asked."""
    if not isinstance(network, Several):
        return {CLASS: seen[:, 0] == asked.labels} if asked.labels is not None else {}
    names = list(network.spec.attributes)
    wanted = aligned(asked, network.spec)
    return {name: seen[:, names.index(name)] == values for name, values in wanted.items()}


def aligned(columns: ConditionColumns, spec: ConditionSpec) -> dict[str, Int[np.ndarray, " n"]]:
    """Conditions in the indices of another spec, as far as both have an attribute.

    Values are matched by name; those that are called by numbers, or are of other names but as many, by index.
    """
    found = {}
    for place, (name, names) in enumerate(columns.spec.attributes.items()):
        if name not in spec.attributes:
            continue
        others = list(spec.attributes[name])
        used = sorted(set(columns.values[:, place].tolist()))
        if all(names[index] in others for index in used):
            table = {index: others.index(names[index]) for index in used}
        elif all(names[index].isdecimal() and int(names[index]) < len(others) for index in used):
            table = {index: int(names[index]) for index in used}
        elif len(names) == len(others):
            table = {index: index for index in used}
        else:
            continue
        found[name] = np.array([table[index] for index in columns.values[:, place].tolist()], np.int64)
    return found
