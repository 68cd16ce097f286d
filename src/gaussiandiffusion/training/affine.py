"""Random small affine motions of images: the whole augmentation a digit classifier needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    shift = draw[3:] * (2 * amount.shift)  # grid_sample's axes are two units long
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    matrices = torch.stack(
        [
            torch.stack([cos, shear * cos - sin, shift[0]], dim=1),
            torch.stack([sin, shear * sin + cos, shift[1]], dim=1),
        ],
        dim=1,
    )
    grid = torch.nn.functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, align_corners=False)
