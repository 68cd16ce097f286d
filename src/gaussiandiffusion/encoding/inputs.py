"""Images in any of the accepted forms, as the 8-bit pixels an encoder takes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError

CHANNELS = (1, 3, 4)


def as_pixels(images: Any) -> UInt8[ndarray, "n c h w"]:
    """Bring images in any of the accepted forms to 8-bit (N, C, H, W).

    Args:
        images: a path to anything that `load_images` reads; a PIL image, turned upright if its camera says so; a tensor
            [N, C, H, W]; an array of that shape or with the channels last, [N, H, W, C] (if both axes could be
            channels, the second is), [H, W, C], or grey [N, H, W] and [H, W]; or a sequence of these, of one size and
            mode. Values are uint8, or floats in [0, 1]; C = 1, 3 or 4.

    Raises:
        InputError: other shapes or values, in one sentence.
    """
    if isinstance(images, str | os.PathLike):
        from gaussiandiffusion.data import load_images

        return load_images(Path(images)).images
    if isinstance(images, Sequence):
        parts = [as_pixels(image) for image in images]
        if not parts:
            raise InputError("no images given; pass at least one")
        if len({part.shape[1:] for part in parts}) > 1:
            shapes = ", ".join(str(part.shape[1:]) for part in parts[:4])
            raise InputError(f"images of different sizes or modes cannot be encoded together: {shapes}")
        return np.concatenate(parts)
    if hasattr(images, "getbands"):  # PIL
        from gaussiandiffusion.data.decoding import to_pixels, upright

        return to_pixels(upright(images), "the PIL image")[None]
    if isinstance(images, Tensor):
        images = images.detach().cpu()
        images = images.float() if images.is_floating_point() else images  # NumPy has no bfloat16
        pixels = images.numpy()
    else:
        pixels = _channels_first(np.asarray(images))
    if pixels.ndim != 4:
        more = "; one image needs an axis more: images[None]" if pixels.ndim == 3 else ""
        raise InputError(f"images must have shape (N, C, H, W), not {pixels.shape}{more}")
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if not np.isfinite(pixels).all() or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 1:
        raise InputError("float images must be finite and lie in [0, 1]; divide 8-bit values by 255")
    return np.rint(pixels * 255).astype(np.uint8)


def _channels_first(pixels: ndarray) -> ndarray:
    """An array's pictures as (N, C, H, W), whether its channels come last, as PIL's, or before; others as they are."""
    if pixels.ndim == 2:
        return pixels[None, None]
    if pixels.ndim == 3 and pixels.shape[0] not in CHANNELS:
        return pixels.transpose(2, 0, 1)[None] if pixels.shape[-1] in CHANNELS else pixels[:, None]
    if pixels.ndim == 4 and pixels.shape[1] not in CHANNELS and pixels.shape[-1] in CHANNELS:
        return pixels.transpose(0, 3, 1, 2)
    return pixels
