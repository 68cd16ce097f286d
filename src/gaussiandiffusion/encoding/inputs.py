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


def as_pixels(images: Any) -> UInt8[ndarray, "n c h w"]:
    """Bring images in any of the accepted forms to 8-bit (N, C, H, W)."""
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
        from gaussiandiffusion.data.decoding import to_pixels

        return to_pixels(images, "the PIL image")[None]
    if isinstance(images, Tensor):
        images = images.detach().cpu()
        images = images.float() if images.is_floating_point() else images  # NumPy has no bfloat16
    pixels = np.asarray(images)
    if pixels.ndim != 4:
        raise InputError(f"images must have shape (N, C, H, W), not {pixels.shape}")
    if pixels.dtype == np.uint8:
        return pixels
    if not np.isfinite(pixels).all() or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 1:
        raise InputError("float images must be finite and lie in [0, 1]; divide 8-bit values by 255")
    return np.rint(pixels * 255).astype(np.uint8)
