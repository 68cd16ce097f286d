"""Random sets as published files hold them."""

import torch
from jaxtyping import Float
from torch import Tensor


def published_rows(count: int, k: int, columns: int = 7, seed: int = 0) -> Float[Tensor, "n k f"]:
    """Rows as drawn: 7 columns grey, 9 RGB, 8 RGB without alpha."""
    g = torch.Generator().manual_seed(seed)
    sets = torch.rand(count, k, columns, generator=g)
    sets[..., :2] = 0.1 + 0.8 * sets[..., :2]
    sets[..., 2] = 1.6 * sets[..., 2] - 0.8
    sets[..., -2:] = 1.8 * sets[..., -2:] - 0.9
    sets[..., (3 if columns == 8 else 4) : -2] *= 0.3
    return sets


def decibels(pictures: Float[Tensor, "n c h w"], others: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """PSNR of each picture against another."""
    return -10 * (pictures.clamp(0, 1) - others).square().mean((1, 2, 3)).log10()
