"""Can a classifier tell half-kept samples from whole ones? If it can, there is a seam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from gaussiandiffusion.evaluation.features.classifier import train_classifier
from gaussiandiffusion.evaluation.features.recipes import STILL, ClassifierConfig
from gaussiandiffusion.evaluation.measures.accuracy import label_accuracy
from gaussiandiffusion.ground.attributes import ConditionColumns

KINDS = ["whole", "mended"]


def told_apart(
    whole: UInt8[ndarray, "n c h w"], mended: UInt8[ndarray, "n c h w"], *, epochs: int, seed: int = 0
) -> dict[str, float | int]:
    """Accuracy of a small network trained on two thirds of both kinds, on the rest; 0.5: it sees no difference.

    Args:
        whole, mended: equally many, in random order of whatever else they show.
        epochs: of the training.
    """
    count = min(len(whole), len(mended))
    share = count * 2 // 3
    config = ClassifierConfig("samples", Path(), seed=seed, epochs=epochs, num_features=64, affine=STILL,
                              mixed_precision="no")  # fmt: skip
    train, test = (np.concatenate([kind[part] for kind in (whole, mended)])
                   for part in (slice(share), slice(share, count)))  # fmt: skip
    known, asked = (np.repeat(np.arange(2), len(part) // 2) for part in (train, test))
    network = train_classifier(train, ConditionColumns.of_labels(known, KINDS), config)
    return {
        "accuracy": label_accuracy(network, test, asked),
        "accuracy_train": label_accuracy(network, train, known),
        "num_train": len(train),
        "num_test": len(test),
        "epochs": epochs,
    }
