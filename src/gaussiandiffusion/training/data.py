"""The training set as latents: encoded once, in seconds, or read from a splat file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from tqdm import tqdm

from gaussiandiffusion.data import load_images
from gaussiandiffusion.diffusion.noise import generator_for
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.training.config import TrainConfig

ORDER_STREAM = 1  # keys that keep the random streams of a training apart
DRAW_STREAM = 2


@dataclass(frozen=True)
class TrainingSet:
    """Latents, labels (None when unconditional) and the representation they are in."""

    latents: Float[Tensor, "n k f"]
    labels: Int64[Tensor, " n"] | None
    num_classes: int
    representation: SplatRepresentation
    psnr: float

    def __len__(self) -> int:
        return len(self.latents)


def load_training_set(config: TrainConfig, data_dir: Path | None) -> TrainingSet:
    """Encode the training split that a configuration names."""
    images = load_images(config.data, split="train", data_dir=data_dir, limit=config.limit)
    encoder = make_encoder(
        images.images.shape[1],
        num_splats=config.splats,
        start=config.start,
        iterations=config.iterations,
        signed=config.signed,
    )
    with tqdm(total=len(images), desc="encode", unit="image", unit_scale=True) as bar:
        encoded = encoder.encode(images.images, progress=bar.update)
    if len(images) < 2:
        raise InputError(f"{config.data}: one image is too few to train on; give at least two")
    labels = None
    if config.conditional and images.labels is not None:
        labels = torch.from_numpy(images.labels)
        if int(labels.min()) < 0:
            raise InputError(f"{config.data}: label {int(labels.min())} is negative; number the classes from 0")
    representation = SplatRepresentation.fit(encoder, encoded.splats, per_slot=config.per_slot)
    return TrainingSet(
        latents=representation.latent_transform.encode(encoded.splats),
        labels=labels,
        num_classes=0 if labels is None else int(labels.max()) + 1,
        representation=representation,
        psnr=float(encoded.psnr.mean()),
    )


def batches(size: int, batch_size: int, seed: int, start: int = 0) -> Iterator[Int64[Tensor, " b"]]:
    """Endless batches of indices, shuffled anew each epoch; batch number `start` on.

    The order depends on (seed, epoch) alone, so a resumed training sees what an uninterrupted one would.
    """
    batch_size = min(batch_size, size)
    per_epoch = size // batch_size
    epoch, first = divmod(start, per_epoch)
    while True:
        order = torch.randperm(size, generator=generator_for(seed, ORDER_STREAM, epoch))
        for i in range(first, per_epoch):
            yield order[i * batch_size : (i + 1) * batch_size]
        epoch, first = epoch + 1, 0
