"""Learning a template: the start from which a data set's images are all fitted, slot by slot alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding.encoder import FitEncoder
from gaussiandiffusion.encoding.parameters import to_parameters, to_splats
from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings
from gaussiandiffusion.ground.images import premultiplied, straight
from gaussiandiffusion.splats import Canvas, Splats

IMAGES = 512
ROUNDS = 25
STEP = 0.5


def learn_template(
    images: UInt8[ndarray, "n c h w"],
    settings: EncoderSettings,
    *,
    rounds: int = ROUNDS,
    images_per_round: int = IMAGES,
    seed: int = 0,
    begin: Splats | None = None,
    progress: Callable[[int], None] | None = None,
) -> Splats:
    """Learn a shared start, a batch of one set.

    From a grid, repeat: fit some images from the template, then move it by `STEP` toward the mean fit. Each round
    draws its images anew from the whole array, by `seed`.

    Args:
        images: the training images.
        settings: of the encoding the template is for; `start` must be "template".
        images_per_round: how many each round fits.
        begin: a template to go on from, instead of a grid.

    Source: Nichol et al., "On First-Order Meta-Learning Algorithms" (Reptile), 2018.
    """
    canvas = Canvas(images.shape[2], images.shape[3], images.shape[1])
    template = grid_template(images, settings) if begin is None else begin
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        chosen = np.sort(random.choice(len(images), min(images_per_round, len(images)), replace=False))
        fits = FitEncoder(settings, template).encode(images[chosen]).splats
        start = to_parameters(template)
        mean = to_parameters(fits).mean(0, keepdims=True, dtype=np.float64).astype(np.float32)
        template = to_splats(start + STEP * (mean - start), canvas)
        if progress is not None:
            progress(1)
    return template


def save_template(path: Path, template: Splats, settings: EncoderSettings, images: ImageSet, seed: int) -> None:
    """Write a learned template, with what it was learned from.

    Raises:
        InputError: the file cannot be written.
    """
    encoder, source = template_header(settings, images, seed)
    template.save(path, signed=settings.signed, encoder=encoder, source=source)


def template_header(settings: EncoderSettings, images: ImageSet, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a template's file says of how and from what it was learned, by the default rounds."""
    return (
        settings.to_dict() | {"rounds": ROUNDS, "seed": seed},
        {"name": images.name, "split": images.split or "train", "sha256": images.sha256, "num": len(images)},
    )


def grid_template(images: UInt8[ndarray, "n c h w"], settings: EncoderSettings) -> Splats:
    """Where learning begins: a grid in the colours of the mean image."""
    grid = default_settings(images.shape[1], num_splats=settings.num_splats, start="grid", iterations=0)
    mean_image = np.rint(premultiplied(images).mean(0, keepdims=True)).astype(np.uint8)
    return FitEncoder(grid).encode(straight(mean_image)).splats
