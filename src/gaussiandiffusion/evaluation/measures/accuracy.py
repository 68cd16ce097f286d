"""Do conditional samples show what they were asked to show? A classifier is the judge."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from gaussiandiffusion.evaluation.features.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.features.spaces import BATCH_SIZE
from gaussiandiffusion.ground.errors import InputError


@runtime_checkable
class Classifier(Protocol):
    """Anything that names the class of images."""

    def classify(self, images: Tensor) -> Tensor: ...


@torch.no_grad()
def label_accuracy(
    network: Classifier,
    images: UInt8[np.ndarray, "n c h w"],
    labels: Int[np.ndarray, " n"],
    *,
    batch_size: int = BATCH_SIZE,
) -> float:
    """Fraction of images that a classifier assigns to their label.

    Args:
        network: the judge; a claim about a generator needs one that its makers did not tune on.
        images: as saved.
        labels: the class each image was asked to show.
        batch_size: images at a time.

    Returns:
        A fraction in [0, 1].

    Raises:
        InputError: no images, not uint8, or not one label for each image.
    """
    if len(labels) != len(images):
        raise InputError(f"{len(images)} images came with {len(labels)} labels: one label an image is needed")
    if len(images) == 0:
        raise InputError("label accuracy needs at least one image, none were given")
    correct = 0
    for start in range(0, len(images), batch_size):
        batch = unit_images(images[start : start + batch_size])
        check_unit_images(batch)
        expected = torch.from_numpy(np.asarray(labels[start : start + batch_size], dtype=np.int64))
        correct += int((network.classify(batch) == expected).sum())
    return correct / len(images)
