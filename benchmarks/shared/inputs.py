"""What benchmarks measure on: random images of a data set, drawn strokes, random splats."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from gaussiandiffusion.data import load_images
from gaussiandiffusion.splats import Canvas, Splats

NAMES = {"mnist": "MNIST", "sprites": "Sprites 32", "cifar10": "CIFAR-10"}  # as tables and plots write them


def random_images(name: str, count: int, seed: int, data_dir: Path | None, split: str = "test") -> np.ndarray:
    """A random part of a split, uint8 [N, C, H, W], in its order (the first of MNIST's test images are the easier)."""
    images = load_images(name, split=split, data_dir=data_dir).images
    chosen = np.random.default_rng(seed).choice(len(images), min(len(images), count), replace=False)
    return images[np.sort(chosen)]


def strokes(count: int, size: int, seed: int) -> np.ndarray:
    """Grey pictures of random thick curves, uint8 [N, 1, size, size]."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        picture = Image.new("L", (4 * size, 4 * size))
        points = random.uniform(0.15, 0.85, (4, 2)) * 4 * size
        ImageDraw.Draw(picture).line([tuple(p) for p in points], 255, size // 3, joint="curve")
        pictures.append(np.asarray(picture.resize((size, size), Image.Resampling.BOX)))
    return np.stack(pictures)[:, None]


def random_splats(sets: int, num_splats: int, canvas: Canvas, seed: int, *, smallest: float = 0.6) -> Splats:
    """Splats all over a canvas, as large as they are in fitted photographs and as varied.

    Args:
        smallest: sigma in pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (sets, num_splats)
    reach = torch.tensor([canvas.width, canvas.height]) / canvas.longer_side
    share = math.sqrt(canvas.width * canvas.height / num_splats)
    sigmas = (0.4 * share * torch.exp(0.5 * torch.randn(*shape, 2, generator=generator))).clamp_min(smallest)
    return Splats(
        (torch.rand(*shape, 2, generator=generator) * 2 - 1) * reach,
        sigmas / canvas.pixels_per_unit,
        torch.rand(shape, generator=generator) * 1.2 - 0.6,
        torch.rand(*shape, canvas.channels, generator=generator) * 0.2,
        canvas,
    )
