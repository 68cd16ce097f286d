"""Pictures to encode and to learn: CIFAR-10 where its files are given, else shapes drawn by formulas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import ndarray

SIDE = 32
CLASSES = 10
EXPONENTS = (0.7, 1.0, 2.0, 4.0, 9.0)  # of the superellipse |x|^p + |y|^p = 1: star, diamond, disc, cushion, square
BLOCK = 1000  # pictures drawn at once


@dataclass(frozen=True)
class Pictures:
    """Where images come from.

    Attributes:
        source, data_dir: as `load_images` takes them.
        words: for the record; drawn ones are called synthetic.
    """

    source: str
    data_dir: Path | None
    words: str


def training_pictures(data_dir: Path | None, count: int, seed: int, scratch: Path) -> Pictures:
    """CIFAR-10 in a folder, or so many synthetic pictures in a file below `scratch`."""
    if data_dir is not None:
        return Pictures("cifar10", data_dir, "CIFAR-10")
    path = scratch / f"synthetic-{count}-{seed}.npz"
    if not path.exists():
        images, labels = synthetic(count, seed)
        np.savez(path, images=images, labels=labels)
    return Pictures(str(path), None, f"synthetic: {count} drawn shapes of {CLASSES} classes, not photographs")


def some_pictures(data_dir: Path | None, count: int, seed: int) -> tuple[ndarray, str]:
    """Images, uint8 [N, 3, 32, 32], and what they are."""
    if data_dir is None:
        return synthetic(count, seed)[0], "synthetic"
    from benchmarks.shared.inputs import random_images

    return random_images("cifar10", count, seed, data_dir, "train"), "CIFAR-10"


def synthetic(count: int, seed: int) -> tuple[ndarray, ndarray]:
    """Shapes before two-coloured grounds, uint8 [N, 3, 32, 32], and int64 [N]: five shapes, full and hollow."""
    random = np.random.default_rng(seed)
    labels = random.integers(CLASSES, size=count)
    parts = [_drawn(labels[i : i + BLOCK], random) for i in range(0, count, BLOCK)]
    return np.concatenate(parts), labels


def _drawn(labels: ndarray, random: np.random.Generator) -> ndarray:
    n = len(labels)
    axis = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
    y, x = axis[:, None], axis[None, :]  # (h, 1), (1, w)

    def each(low: float, high: float) -> ndarray:
        return random.uniform(low, high, (n, 1, 1)).astype(np.float32)

    slope = each(0, 2 * np.pi)
    along = 0.5 + 0.35 * (
        np.cos(slope) * x + np.sin(slope) * y
    )  # (n, h, w): from one colour of the ground to the other
    ground = _between(random, n, along)
    dx, dy, turn = x - each(-0.3, 0.3), y - each(-0.3, 0.3), each(-0.5, 0.5)
    u = np.abs(np.cos(turn) * dx + np.sin(turn) * dy) / each(0.35, 0.65)
    v = np.abs(np.cos(turn) * dy - np.sin(turn) * dx) / each(0.35, 0.65)
    power = np.take(np.array(EXPONENTS, np.float32), labels % len(EXPONENTS))[:, None, None]
    radius = (u**power + v**power) ** (1 / power)  # 1 on the outline
    inside = _step(1 - radius)
    hollow = (labels >= len(EXPONENTS))[:, None, None]
    weight = np.where(hollow, inside * _step(radius - 0.6), inside)[:, None]  # (n, 1, h, w)
    shade = _between(random, n, 0.5 + 0.5 * (dx + dy))
    picture = ground + weight * (shade - ground) + random.normal(0, 0.01, ground.shape).astype(np.float32)
    return np.rint(255 * picture.clip(0, 1)).astype(np.uint8)


def _between(random: np.random.Generator, n: int, share: ndarray) -> ndarray:
    """Two colours each, and a share of the second at every pixel, [N, 3, H, W]."""
    one, other = random.uniform(0, 1, (2, n, 3, 1, 1)).astype(np.float32)
    return one + share[:, None].clip(0, 1) * (other - one)


def _step(distance: ndarray) -> ndarray:
    """0 below 0, 1 above, smooth over about a pixel."""
    return (0.5 + distance * SIDE / 4).clip(0, 1)
