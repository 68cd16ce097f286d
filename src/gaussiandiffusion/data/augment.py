"""Random changes of training images: mirror, shift, rotate and zoom, each sample's by its own address."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.data.affine import warp
from gaussiandiffusion.data.augmentation import Augmentation
from gaussiandiffusion.ground.seeds import Stream, generator_for


def augment(
    images: UInt8[ndarray, "n c h w"], augmentation: Augmentation, seed: int, epoch: int, indices: Int64[Tensor, " n"]
) -> UInt8[ndarray, "n c h w"]:
    """Change every image as its address (seed, epoch, index) says, whatever other images are beside it.

    What moves in from outside has the colour of the nearest edge. Without augmentation the images come back as they
    are.

    Args:
        images: 8-bit pixels.
        augmentation: the largest changes.
        indices: the images' numbers in the training set.
    """
    if not augmentation:
        return images
    drawn = draws(seed, epoch, indices)
    if augmentation.flip:
        mirrored = (drawn[:, 0] < 0.5).numpy()
        images = np.where(mirrored[:, None, None, None], images[..., ::-1], images)
    if not augmentation.moves:
        return images
    linear, shift = motions(augmentation, drawn[:, 1:])
    moved = warp(torch.from_numpy(images).float(), linear, shift, "border")
    return moved.round().to(torch.uint8).numpy()


def draws(seed: int, epoch: int, indices: Int64[Tensor, " n"]) -> Float[Tensor, "n 5"]:
    """Five numbers in [0, 1) for each sample, drawn whether used or not: one change's never depend on another's."""
    keys = [(seed, Stream.AUGMENT, epoch, int(index)) for index in indices]
    return torch.stack([torch.rand(5, generator=generator_for(*key)) for key in keys])


def motions(
    augmentation: Augmentation, drawn: Float[Tensor, "n 4"]
) -> tuple[Float[Tensor, "n 2 2"], Float[Tensor, "n 2"]]:
    """The maps from new to old pixels, as `warp` takes them, that numbers in [0, 1) stand for."""
    amount = augmentation.shift
    if float(amount).is_integer():
        shift = (drawn[:, :2] * (2 * amount + 1)).floor() - amount
    else:
        shift = (drawn[:, :2] * 2 - 1) * amount
    angle = (drawn[:, 2] * 2 - 1) * math.radians(augmentation.rotate)
    scale = torch.exp((drawn[:, 3] * 2 - 1) * math.log1p(augmentation.zoom))
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    return torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2), shift
