"""How alike the sets of like images are: slot by slot, in standard deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gaussiandiffusion.encoding import Encoder
from gaussiandiffusion.representation.features import to_features

NEIGHBOURS = 0.02  # share of the nearest pairs of different images that count as neighbours


@dataclass(frozen=True)
class Consistency:
    """Distances are root mean squares over slots and features, each feature divided by its deviation over the data.

    noise: between an image and itself with one grey level of noise.
    neighbours: between images that are nearest neighbours in pixels; random: between random images.
    """

    psnr: float
    noise: float
    neighbours: float
    random: float

    @property
    def ratio(self) -> float:
        return self.neighbours / self.random


def measure(encoder: Encoder, images: np.ndarray, *, seed: int = 0) -> Consistency:
    """Consistency of the sets of uint8 images (N, C, H, W).

    Means, the logarithms of covariances, and colours are compared. Noise is -1, 0 or +1 grey level, each as likely.
    """
    random = np.random.default_rng(seed)
    encoded = encoder.encode(images)
    noise = random.integers(-1, 2, images.shape)
    noisy = encoder.encode((images.astype(np.int16) + noise).clip(0, 255).astype(np.uint8))
    plain = to_features(encoded.splats)  # (n, k, f)
    deviation = plain.flatten(0, 1).std(0)
    first, second = nearest_pairs(images)
    other = random.permutation(len(images))

    def distance(x: Tensor, y: Tensor) -> float:
        return float(((x - y) / deviation).square().mean().sqrt())

    return Consistency(
        psnr=float(encoded.psnr.mean()),
        noise=distance(plain, to_features(noisy.splats)),
        neighbours=distance(plain[first], plain[second]),
        random=distance(plain, plain[other]),
    )


def nearest_pairs(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the image pairs nearest in pixels: as many as `NEIGHBOURS` of the images, at least 8."""
    pixels = torch.from_numpy(images).flatten(1).float()
    distances = torch.cdist(pixels, pixels)
    distances.fill_diagonal_(float("inf"))
    nearest, partner = distances.min(1)
    chosen = nearest.argsort()[: max(8, round(NEIGHBOURS * len(images)))]
    return chosen.numpy(), partner[chosen].numpy()
