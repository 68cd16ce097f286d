"""Affine motions of images, and the random small ones that are all the augmentation a digit classifier needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class AffineRange:
    """How far an image may move; every amount is drawn uniformly from [-range, range].

    Attributes:
        rotation: degrees.
        shift: fraction of the image's side.
        log_scale: natural logarithm of the magnification.
        shear: horizontal displacement for each unit of height.
    """

    rotation: float = 12.0
    shift: float = 0.08
    log_scale: float = 0.12
    shear: float = 0.15


def random_affine(
    images: Float[Tensor, "n c h w"], amount: AffineRange, generator: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """Rotate, shift, scale and shear each image by its own random amounts; outside is black.

    Args:
        images: square, any range.
        amount: the largest motions.
        generator: the only source of randomness.
    """
    draw = torch.rand((5, len(images)), generator=generator) * 2 - 1
    angle = draw[0] * math.radians(amount.rotation)
    scale = torch.exp(draw[1] * amount.log_scale)
    shear = draw[2] * amount.shear
    shift = draw[3:] * (amount.shift * images.shape[-1])
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    linear = torch.stack([cos, shear * cos - sin, sin, shear * sin + cos], dim=1).view(-1, 2, 2)
    return warp(images, linear, shift.T)


def warp(
    images: Float[Tensor, "n c h w"],
    linear: Float[Tensor, "n 2 2"],
    shift: Float[Tensor, "n 2"],
    fill: Literal["zeros", "border"] = "zeros",
) -> Float[Tensor, "n c h w"]:
    """Pictures that show at p what `images` show at `linear` p + `shift`, interpolated linearly.

    p = (x, y) is in pixels from the centre. An image's result does not depend on the others beside it.

    Args:
        images: any range.
        linear, shift: one map for each image.
        fill: what lies outside: black, or the colour at the nearest edge.
    """
    height, width = images.shape[-2:]
    x = torch.arange(width) - (width - 1) / 2
    y = (torch.arange(height) - (height - 1) / 2)[:, None]
    # Written out: a matrix product may round otherwise in another batch.
    a, b, c, d = linear.view(-1, 4, 1, 1).unbind(1)  # (n, 1, 1)
    across = a * x + b * y + shift[:, :1, None]  # (n, h, w)
    down = c * x + d * y + shift[:, 1:, None]
    grid = torch.stack([across * (2 / width), down * (2 / height)], dim=-1)  # grid_sample's axes are two units long
    return torch.nn.functional.grid_sample(images, grid, padding_mode=fill, align_corners=False)
