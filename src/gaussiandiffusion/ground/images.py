"""8-bit images: how floats become them, and how far two of them are apart."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

LEAST_ERROR = 1e-10  # an exact picture counts as 100 dB


def to_uint8(images: Float[Tensor, "*n c h w"]) -> UInt8[Tensor, "*n c h w"]:
    """Pictures in [0, 1] as 8-bit on the CPU, the way they are saved."""
    return (images * 255).round().to(torch.uint8).cpu()


def premultiplied(pixels: UInt8[ndarray, "*n c h w"]) -> UInt8[ndarray, "*n c h w"]:
    """Colours times alpha, rounded: what transparent pixels hide is gone. Pictures without alpha are as they were."""
    if pixels.shape[-3] != 4:
        return pixels
    alpha = pixels[..., 3:, :, :]
    colors = (pixels[..., :3, :, :].astype(np.uint16) * alpha + 127) // 255
    return np.concatenate([colors.astype(np.uint8), alpha], -3)


def straight(pixels: UInt8[ndarray, "*n c h w"]) -> UInt8[ndarray, "*n c h w"]:
    """`premultiplied` undone, as far as it can be; black where nothing is seen."""
    if pixels.shape[-3] != 4:
        return pixels
    alpha = pixels[..., 3:, :, :].astype(np.uint16)
    whole = np.maximum(alpha, 1)
    colors = np.minimum((pixels[..., :3, :, :].astype(np.uint16) * 255 + whole // 2) // whole, 255) * (alpha > 0)
    return np.concatenate([colors.astype(np.uint8), pixels[..., 3:, :, :]], -3)


def psnr(squared_error: Float[ndarray, "*n"] | float) -> Float[ndarray, "*n"]:
    """PSNR (dB, at most 100) of mean squared errors of pictures in [0, 1]."""
    return -10 * np.log10(np.maximum(squared_error, LEAST_ERROR))
