"""Feature spaces: which frozen network turns images into the vectors that a measure compares."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from gaussiandiffusion.evaluation.features.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.features.network import FEATURE_LAYER, FeatureNetwork
from gaussiandiffusion.ground.bundled_features import BUNDLED_PREFIX, INCEPTION, feature_folder
from gaussiandiffusion.ground.component import WEIGHTS_FILE, load_component
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.threads import side_by_side

BATCH_SIZE = 64  # images at a time: what a network of small pictures keeps of them fits the processor's cache


@dataclass(frozen=True)
class FeatureSpace:
    """A frozen network and what must be said beside every number measured with it.

    Attributes:
        name: bundled name, folder name or "inception".
        layer: which layer the features are.
        network: float images in [0, 1] -> features [N, num_features]; classifiers also have `classify`.
        sha256: of the file of weights; distances compare only where it is the same.
        training: how it was learned, where that was for one evaluation.
    """

    name: str
    layer: str
    network: nn.Module
    sha256: str
    training: dict[str, Any] | None = None

    @property
    def dimension(self) -> int:
        """Length of a feature vector."""
        return int(self.network.num_features)  # type: ignore[arg-type]  # modules' attributes are typed Tensor | Module


def load_features(name_or_path: str | os.PathLike[str]) -> FeatureSpace:
    """Load a frozen feature network, without ever unpickling a file.

    Args:
        name_or_path: an existing folder written by `gaussiandiffusion.evaluation.features.training` (or a file in it),
            a bundled name such as "mnist", or "inception".

    Raises:
        InputError: nothing of that name, a broken folder, or "inception" without its extra.
    """
    folder = feature_folder(str(name_or_path))
    if folder is None:
        from gaussiandiffusion.evaluation.features.inception import INCEPTION_LAYER, load_inception

        network, digest = load_inception()
        return FeatureSpace(INCEPTION, INCEPTION_LAYER, network, digest)
    return _read(folder)


def extract_features(
    network: nn.Module, images: UInt8[np.ndarray, "n c h w"], batch_size: int = BATCH_SIZE
) -> Float[Tensor, "n f"]:
    """Features of images as saved, in order; bytes become floats in [0, 1] here and nowhere else.

    Raises:
        InputError: not uint8 [N, C, H, W], no images, or a size or channel count the network does not take.
    """
    if batch_size < 1:
        raise InputError(f"batch_size={batch_size}: must be at least 1")
    if len(images) == 0:
        raise InputError("a measure needs at least one image, none were given")

    def features(start: int) -> Tensor:
        return unit_features(network, unit_images(images[start : start + batch_size]))

    return torch.cat(list(side_by_side(features, range(0, len(images), batch_size))))


@torch.no_grad()
def unit_features(network: nn.Module, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
    """Features of one batch of float images in [0, 1].

    Raises:
        InputError: uint8, out of range, or a size or channel count the network does not take.
    """
    check_unit_images(images)
    features = network(images)
    expected = (len(images), int(network.num_features))  # type: ignore[arg-type]  # modules' attributes are typed Tensor | Module
    if tuple(features.shape) != expected or not bool(features.isfinite().all()):
        raise InputError(
            f"the feature network gave {list(features.shape)} numbers, {list(expected)} finite ones are due"
        )
    return features.float()


def _read(folder: Path) -> FeatureSpace:
    network = load_component(folder, {FeatureNetwork.__name__: FeatureNetwork}, torch.float32)
    assert isinstance(network, FeatureNetwork)
    channels, size = network.config["in_channels"], network.config["image_size"]
    try:
        unit_features(network, torch.zeros(1, channels, size, size))
    except InputError as error:
        raise InputError(f"{folder}: its weights are unfit ({error}); copy the network again") from error
    name = folder.name.removeprefix(BUNDLED_PREFIX)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    return FeatureSpace(name, FEATURE_LAYER, network.requires_grad_(False), digest)
