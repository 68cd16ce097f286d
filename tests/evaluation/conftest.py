"""Networks and images that make a measure's answer known."""

import numpy as np
import pytest
import torch
from torch import nn

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation import FeatureSpace


class PixelFeatures(nn.Module):
    """The identity: an image's pixels are its features; it is of class 1 if its mean is above one half."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return (images.flatten(1).mean(1) > 0.5).long()


@pytest.fixture
def pixel_space() -> FeatureSpace:
    return FeatureSpace("pixels", "identity", PixelFeatures(4), "0" * 64)


@pytest.fixture
def noise_set():
    """Makes sets of 2x2 grey noise, of one class."""

    def make(count: int, *, seed: int, low: int = 0, high: int = 256, split: str | None = "test") -> ImageSet:
        images = np.random.default_rng(seed).integers(low, high, (count, 1, 2, 2), dtype=np.uint8)
        labels = np.full(count, int(low + high > 256), dtype=np.int64)
        return ImageSet.labelled(images, labels, name=f"noise-{seed}", split=split)

    return make
