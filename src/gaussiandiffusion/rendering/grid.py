"""Pixel centres in canvas coordinates, and the map from the sum of splats to a picture."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.splats import Canvas
from gaussiandiffusion.splats.splats import Output

LEAST_ALPHA = 0.5 / 255  # below it, 8 bits hold nothing: colours there are black


def pixel_axes(
    canvas: Canvas, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> tuple[Float[Tensor, " h"], Float[Tensor, " w"]]:
    """y of every row and x of every column of pixel centres, in canvas units."""
    y = (2 * torch.arange(canvas.height, dtype=dtype, device=device) + 1 - canvas.height) / canvas.longer_side
    x = (2 * torch.arange(canvas.width, dtype=dtype, device=device) + 1 - canvas.width) / canvas.longer_side
    return y, x


def pixel_centers(
    canvas: Canvas, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "h w 2"]:
    """(x, y) of every pixel centre of `canvas`, in canvas units."""
    y, x = pixel_axes(canvas, dtype=dtype, device=device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def to_picture(total: Float[Tensor, "n c h w"], output: Output) -> Float[Tensor, "n c h w"]:
    """Bring accumulated colour into [0, 1]: "clamp", "soft" or "straight", see `Splats`."""
    if output == "soft":
        return 1 - torch.exp(-total.clamp_min(0))
    picture = total.clamp(0, 1)
    if output == "clamp":
        return picture
    colors, alpha = picture[:, :3], picture[:, 3:]
    seen = alpha >= LEAST_ALPHA
    straight = (colors / torch.where(seen, alpha, 1)).clamp_max(1)
    return torch.cat([torch.where(seen, straight, 0), alpha], 1)
