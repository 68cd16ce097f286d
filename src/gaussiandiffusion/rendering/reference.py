"""The renderer as a paper would print it: any device and dtype, differentiable, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gaussiandiffusion.rendering.grid import pixel_centers
from gaussiandiffusion.splats import Splats

CHUNK_ELEMENTS = 2**24  # splat-pixel pairs held at once: 64 MiB per float32 intermediate


def footprints(splats: Splats, points: Float[Tensor, "p 2"], cutoff: float | None = None) -> Float[Tensor, "n k p"]:
    """exp(-1/2 Mahalanobis^2) of every splat at every point, from the factor Sigma^-1 = A^T A."""
    a, b, d = splats.precision_factors[..., None].unbind(-2)  # (n, k, 1) each
    dx = points[:, 0] - splats.means[..., 0, None]  # (n, k, p)
    dy = points[:, 1] - splats.means[..., 1, None]
    mahalanobis = (a * dx + b * dy).square() + (d * dy).square()
    weights = torch.exp(-0.5 * mahalanobis)
    return weights if cutoff is None else weights.masked_fill(mahalanobis > cutoff * cutoff, 0)


def blend(splats: Splats, points: Float[Tensor, "p 2"], cutoff: float | None = None) -> Float[Tensor, "n c p"]:
    """Colour of every point before the output map, all splat-point pairs at once."""
    weights = footprints(splats, points, cutoff)  # (n, k, p)
    if splats.opacities is not None:
        weights = weights * splats.opacities[..., None]
    if splats.blending == "sum":
        return torch.einsum("nkp,nkc->ncp", weights, splats.colors) + splats.background[..., None]
    weights = weights.clamp_max(1)
    opened = torch.cat([weights.new_ones(len(splats), 1, len(points)), 1 - weights], 1)
    light = torch.cumprod(opened, 1)  # (n, k + 1, p): before splat k, and at last behind all of them
    behind = light[:, -1, None] * splats.background[..., None]
    return torch.einsum("nkp,nkc->ncp", weights * light[:, :-1], splats.colors) + behind


def accumulate(
    splats: Splats,
    size: int | tuple[int, int] | None = None,
    *,
    cutoff: float | None = None,
    draw: Callable[[Splats, Tensor, float | None], Tensor] = blend,
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map.

    Args:
        splats: sets of K splats.
        size: (height, width) in pixels, or the longer side; default: the canvas.
        cutoff: Mahalanobis distance in sigmas beyond which a splat contributes nothing; None: no cut.
        draw: draws one block of pixels: `blend`, or the same compiled.

    Returns:
        "sum": background + sum_k opacity_k colour_k exp(-1/2 (p-mu_k)^T Sigma_k^-1 (p-mu_k)); "alpha": the
        splats composited front to back in index order over the background. Differentiable in every parameter;
        work is cut into blocks of images and rows, recomputed in the backward pass, so memory stays bounded.

    Source: Zhang et al., "GaussianImage", ECCV 2024, eq. 6 (sum); Kerbl et al., "3D Gaussian Splatting",
    2023, eq. 3 (alpha).
    """
    canvas = splats.canvas.resized(size)
    per_row = max(1, splats.num_splats) * canvas.width
    rows = max(1, min(canvas.height, CHUNK_ELEMENTS // per_row))
    images = max(1, CHUNK_ELEMENTS // (per_row * rows))
    blocks = len(splats) > images or rows < canvas.height
    needs_grad = torch.is_grad_enabled() and any(t.requires_grad for t in splats.tensors().values())
    grid = pixel_centers(canvas, dtype=splats.means.dtype, device=splats.device)  # (h, w, 2)
    parts = []
    for start in range(0, max(1, len(splats)), images):
        batch = splats[start : start + images]
        strips = []
        for top in range(0, canvas.height, rows):
            points = grid[top : top + rows].flatten(0, 1)  # (p, 2)
            if blocks and needs_grad:
                strip = checkpoint(draw, batch, points, cutoff, use_reentrant=False)
            else:
                strip = draw(batch, points, cutoff)
            strips.append(strip)
        parts.append(torch.cat(strips, -1))
    return torch.cat(parts).unflatten(-1, (canvas.height, canvas.width))
