"""The renderer as a paper would print it: any device and dtype, differentiable, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gaussiandiffusion.rendering.grid import pixel_axes
from gaussiandiffusion.splats import Splats

LOWEST = -80.0  # exponents, e^-80 = 2e-35: further down, exp takes ten times as long
HALF = 0.5  # of the squared distance, folded into the factor: a pass less over all pairs
CHUNK_ELEMENTS = 2**24  # splat-pixel pairs held at once: 64 MiB per float32 intermediate


def footprints(
    splats: Splats, y: Float[Tensor, " h"], x: Float[Tensor, " w"], cutoff: float | None = None
) -> Float[Tensor, "n k h w"]:
    """exp(-1/2 Mahalanobis^2) of every splat at every point of a grid, from the factor Sigma^-1 = A^T A."""
    a, b, d = (splats.precision_factors * HALF**0.5)[..., None].unbind(-2)  # (n, k, 1) each
    dx, dy = x - splats.means[..., 0, None], y - splats.means[..., 1, None]  # (n, k, w), (n, k, h)
    u = (a * dx)[..., None, :] + (b * dy)[..., None]  # (n, k, h, w)
    exponents = torch.addcmul(-(d * dy).square()[..., None], u, u, value=-1)
    outside = None if cutoff is None else exponents < -HALF * cutoff * cutoff
    weights = exponents.clamp_min_(LOWEST).exp_()  # in place: fresh memory costs more than these passes
    return weights if outside is None else weights.masked_fill(outside, 0)


def blend(
    splats: Splats, y: Float[Tensor, " h"], x: Float[Tensor, " w"], cutoff: float | None = None
) -> Float[Tensor, "n c h w"]:
    """Colour of every point of a grid before the output map, all splat-point pairs at once."""
    weights = footprints(splats, y, x, cutoff)
    background = splats.background[..., None, None]
    if splats.opacities is not None:
        weights = weights * splats.opacities[..., None, None]
    if splats.blending == "sum":
        return torch.einsum("nkhw,nkc->nchw", weights, splats.colors) + background
    weights = weights.clamp_max(1)
    opened = torch.cat([weights.new_ones(len(weights), 1, len(y), len(x)), 1 - weights], 1)
    light = torch.cumprod(opened, 1)  # (n, k + 1, h, w): before splat k, and at last behind all of them
    return torch.einsum("nkhw,nkc->nchw", weights * light[:, :-1], splats.colors) + light[:, -1:] * background


def accumulate(
    splats: Splats,
    size: int | tuple[int, int] | None = None,
    *,
    cutoff: float | None = None,
    draw: Callable[[Splats, Tensor, Tensor, float | None], Tensor] = blend,
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map.

    Args:
        splats: sets of K splats.
        size: (height, width) in pixels, or the longer side; default: the canvas.
        cutoff: Mahalanobis distance in sigmas beyond which a splat contributes nothing; None: no cut.
        draw: draws one block of rows: `blend`, or the same compiled.

    Returns:
        "sum": background + sum_k opacity_k colour_k exp(-1/2 (p-mu_k)^T Sigma_k^-1 (p-mu_k)); "alpha": the
        splats composited front to back in index order over the background. Differentiable in every parameter;
        work is cut into blocks of images, rows and columns, recomputed in the backward pass, so memory stays bounded.

    Source: Zhang et al., "GaussianImage", ECCV 2024, eq. 6 (sum); Kerbl et al., "3D Gaussian Splatting",
    2023, eq. 3 (alpha).
    """
    canvas = splats.canvas.resized(size)
    each = max(1, splats.num_splats)
    columns = max(1, min(canvas.width, CHUNK_ELEMENTS // each))
    rows = max(1, min(canvas.height, CHUNK_ELEMENTS // (each * columns)))
    images = max(1, CHUNK_ELEMENTS // (each * columns * rows))
    blocks = len(splats) > images or rows < canvas.height or columns < canvas.width
    needs_grad = torch.is_grad_enabled() and any(t.requires_grad for t in splats.tensors().values())
    block = partial(checkpoint, draw, use_reentrant=False) if blocks and needs_grad else draw
    y, x = pixel_axes(canvas, dtype=splats.means.dtype, device=splats.device)
    parts = []
    for start in range(0, max(1, len(splats)), images):
        batch = splats[start : start + images]
        strips = [
            torch.cat([block(batch, strip, piece, cutoff) for piece in x.split(columns)], -1)  # (n, c, rows, w)
            for strip in y.split(rows)
        ]
        parts.append(torch.cat(strips, -2))
    return torch.cat(parts)
