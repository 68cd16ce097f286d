"""What a measure accepts: one conversion from stored bytes, one check of what comes out of it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError


def unit_images(images: UInt8[np.ndarray, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Turn images as stored (bytes) into floats in [0, 1]: the only place where a measure does so.

    Raises:
        InputError: not bytes of shape [N, C, H, W].
    """
    if getattr(images, "dtype", None) != np.uint8 or images.ndim != 4:
        raise InputError(
            f"images to measure must be uint8 of shape [N, C, H, W], as saved; these are {_describe(images)}"
        )
    return torch.from_numpy(np.ascontiguousarray(images)).float().div_(255)


def check_unit_images(images: Tensor) -> None:
    """Refuse what would be measured wrongly without a word: bytes passed as floats, or floats out of range.

    Raises:
        InputError: not a float32 tensor [N, C, H, W] with finite values in [0, 1].
    """
    if not isinstance(images, Tensor) or images.dtype != torch.float32 or images.ndim != 4:
        raise InputError(
            f"a measure takes float32 images [N, C, H, W] in [0, 1], not {_describe(images)}: "
            "convert uint8 images with unit_images"
        )
    if images.numel() == 0:
        raise InputError("a measure needs at least one image, none were given")
    low, high = (float(bound) for bound in images.aminmax())
    if not (low >= 0 and high <= 1):  # also refuses NaN
        raise InputError(f"a measure takes images in [0, 1], these span {low:.4g} to {high:.4g}")


def _describe(images: object) -> str:
    if isinstance(images, np.ndarray | Tensor):
        return f"{str(images.dtype).removeprefix('torch.')} of shape {list(images.shape)}"
    return f"a {type(images).__name__}"
