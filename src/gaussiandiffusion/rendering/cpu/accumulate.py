"""`accumulate` on the CPU through the fused kernel: same signature as the reference, summed splats, float32."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.threads import in_threads
from gaussiandiffusion.rendering.cpu.tiles import bin_splats, collect, gather, largest, tile_grid
from gaussiandiffusion.splats import Canvas, Splats

THREAD_PAIRS = 2**20  # splat-pixel pairs that are worth a thread: about half a millisecond


def accumulate(
    splats: Splats, size: int | tuple[int, int] | None = None, *, cutoff: float | None = None
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map; see `reference.accumulate`.

    Splats are drawn inside the bounding box of their ellipse at `cutoff` sigmas, rounded outward; the reference
    cuts at the ellipse itself, so the two differ by at most exp(-cutoff^2 / 2) of a splat's colour there, and
    by float32 rounding without a cut (which is one at 7 sigmas, beyond float32's resolution).

    Raises:
        InputError: blending other than "sum", or tensors that are not float32 on the CPU.
    """
    if splats.blending != "sum":
        raise InputError('the fused kernel draws summed splats only; use the reference renderer for "alpha"')
    if splats.device.type != "cpu" or splats.means.dtype != torch.float32:
        raise InputError("the fused kernel takes float32 tensors on the CPU; use the reference renderer")
    canvas = splats.canvas.resized(size)
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    limit = kernel.EXACT if cutoff is None else cutoff
    total = _Fused.apply(to_pixels(splats, canvas), colors, canvas, limit)
    return total + splats.background[..., None, None]


def to_pixels(splats: Splats, canvas: Canvas) -> Float[Tensor, "n k 5"]:
    """mx, my, a, b, d of every splat in pixels of `canvas`; differentiable."""
    scale = canvas.pixels_per_unit
    half = splats.means.new_tensor([canvas.width - 1, canvas.height - 1]) / 2
    means = (splats.means * scale + half).clamp(-kernel.FAR, kernel.FAR)
    return torch.cat([means, splats.precision_factors / scale], -1)


class _Fused(torch.autograd.Function):
    """Sum of splats, with the kernel's analytic gradients."""

    @staticmethod
    def forward(ctx: Any, geometry: Tensor, colors: Tensor, canvas: Canvas, cutoff: float) -> Tensor:
        ctx.save_for_backward(geometry, colors)
        ctx.canvas, ctx.cutoff = canvas, np.float32(cutoff)
        out = np.empty((geometry.shape[0], colors.shape[2], canvas.height, canvas.width), np.float32)
        rows = (_rows(geometry), _rows(colors))
        least = math.ceil(THREAD_PAIRS / max(1, geometry.shape[1] * canvas.height * canvas.width))
        for part, *plan, jobs in _plans(rows[0], canvas, ctx.cutoff):
            arrays = (rows[0][part], rows[1][part], *plan, ctx.cutoff, out[part])
            in_threads(partial(_forward, *arrays), jobs, least)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        geometry, colors = (_rows(t) for t in ctx.saved_tensors)
        residual = grads[0].detach().contiguous().numpy()
        grad_geometry, grad_colors = np.zeros_like(geometry), np.zeros_like(colors)
        for part, tiles, starts, members, jobs in _plans(geometry, ctx.canvas, ctx.cutoff):
            count = len(geometry[part])
            parts = [np.empty((count, rows.shape[1], len(members)), np.float32) for rows in (geometry, colors)]
            arrays = (geometry[part], colors[part], tiles, starts, members, ctx.cutoff, residual[part], *parts)
            in_threads(partial(_backward, *arrays), jobs)
            for whole, each in zip((grad_geometry, grad_colors), parts, strict=True):
                collect(each, members, whole[part])
        return torch.from_numpy(grad_geometry).mT, torch.from_numpy(grad_colors).mT, None, None


def _rows(tensor: Tensor) -> np.ndarray:
    """(N, K, F) to contiguous (N, F, K), as the kernel reads it."""
    return tensor.detach().mT.contiguous().numpy()


def _plans(geometry: np.ndarray, canvas: Canvas, cutoff: np.float32) -> Iterator[tuple[Any, ...]]:
    """Which images to draw together, their tiles, starts and members (see `bin_splats`), and how many jobs that makes.

    Small canvases are one tile each, and all are drawn together; large ones one after the other, by tiles.
    """
    tiles = tile_grid(canvas.height, canvas.width)
    splats = geometry.shape[2]
    if len(tiles) == 1:
        yield slice(None), tiles, np.array([0, splats]), np.arange(splats), len(geometry)
        return
    for i in range(len(geometry)):
        yield slice(i, i + 1), tiles, *bin_splats(geometry[i], splats, tiles, cutoff), len(tiles)


@njit(**FAST)
def _forward(geometry, colors, tiles, starts, members, cutoff, out, start, stop):
    """Jobs [start, stop); job j draws tile j % T of image j // T."""
    most = kernel.whole_vectors(largest(starts))
    footprints, values, picture = kernel.scratch(most, colors.shape[1], tiles[0, 2], tiles[0, 3])
    local_geometry = np.zeros((kernel.COLUMNS, most), np.float32)
    local_colors = np.zeros((colors.shape[1], most), np.float32)
    for job in range(start, stop):
        i, t = job // len(tiles), job % len(tiles)
        top, left, height, width = tiles[t]
        chosen = members[starts[t] : starts[t + 1]]
        gather(geometry[i], colors[i], chosen, tiles[t], local_geometry, local_colors)
        total = kernel.plan(local_geometry, len(chosen), height, width, cutoff, footprints, picture)
        values = kernel.room_for(values, total)
        kernel.draw(local_geometry, local_colors, footprints, values, picture)
        out[i, :, top : top + height, left : left + width] = picture[:, :height, :width]


@njit(**FAST)
def _backward(geometry, colors, tiles, starts, members, cutoff, residual, part_geometry, part_colors, start, stop):
    """As `_forward`; fills part_geometry (N, 5, P) and part_colors (N, C, P), one column for each of `members`."""
    most = kernel.whole_vectors(largest(starts))
    footprints, values, picture = kernel.scratch(most, colors.shape[1], tiles[0, 2], tiles[0, 3])
    local_geometry = np.zeros((kernel.COLUMNS, most), np.float32)
    local_colors = np.zeros((colors.shape[1], most), np.float32)
    grad_geometry, grad_colors = np.empty_like(local_geometry), np.empty_like(local_colors)
    for job in range(start, stop):
        i, t = job // len(tiles), job % len(tiles)
        top, left, height, width = tiles[t]
        begin, end = starts[t], starts[t + 1]
        chosen = members[begin:end]
        gather(geometry[i], colors[i], chosen, tiles[t], local_geometry, local_colors)
        total = kernel.plan(local_geometry, len(chosen), height, width, cutoff, footprints, picture)
        values = kernel.room_for(values, total)
        kernel.draw(local_geometry, local_colors, footprints, values, picture)
        picture[:] = np.float32(0)
        picture[:, :height, :width] = residual[i, :, top : top + height, left : left + width]
        kernel.differentiate(local_geometry, local_colors, footprints, values, picture, grad_geometry, grad_colors)
        part_geometry[i, :, begin:end] = grad_geometry[:, : end - begin]
        part_colors[i, :, begin:end] = grad_colors[:, : end - begin]
