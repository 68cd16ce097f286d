"""`accumulate` on the CPU through the fused kernel: same signature as the reference, summed splats, float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.footprints import COLUMNS, EXACT, FAR, TOTAL, lacks_room, plan, scratch
from gaussiandiffusion.rendering.cpu.threads import in_threads
from gaussiandiffusion.rendering.cpu.tiles import bin_splats, collect, gather, tile_grid
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
    limit = EXACT if cutoff is None else cutoff
    total = _Fused.apply(to_pixels(splats, canvas), colors, canvas, limit)
    return total + splats.background[..., None, None]


def to_pixels(splats: Splats, canvas: Canvas) -> Float[Tensor, "n k 5"]:
    """mx, my, a, b, d of every splat in pixels of `canvas`; differentiable."""
    scale = canvas.pixels_per_unit
    half = splats.means.new_tensor([canvas.width - 1, canvas.height - 1]) / 2
    means = (splats.means * scale + half).clamp(-FAR, FAR)
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
        for part, tiles, starts, members, jobs in _plans(rows[0], canvas, ctx.cutoff):
            arrays = (rows[0][part], rows[1][part], tiles, starts, members, ctx.cutoff, out[part])
            in_threads(partial(_with_room, _forward, arrays), jobs, least)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        geometry, colors = (_rows(t) for t in ctx.saved_tensors)
        residual = grads[0].detach().contiguous().numpy()
        count, columns = len(geometry), COLUMNS + colors.shape[1]
        gradient = np.zeros((count, columns, geometry.shape[2]), np.float32)
        for part, tiles, starts, members, jobs in _plans(geometry, ctx.canvas, ctx.cutoff):
            parts = np.empty((len(geometry[part]), columns, len(members)), np.float32)
            arrays = (geometry[part], colors[part], tiles, starts, members, ctx.cutoff, residual[part], parts)
            in_threads(partial(_with_room, _backward, arrays), jobs)
            collect(parts, members, gradient[part])
        by_geometry, by_colors = gradient[:, :COLUMNS], gradient[:, COLUMNS:]
        return torch.from_numpy(by_geometry).mT, torch.from_numpy(by_colors).mT, None, None


def _with_room(work: Callable[..., int], arrays: tuple[Any, ...], start: int, stop: int) -> None:
    """`_forward` or `_backward`, with what one thread works on, again from where that was too small."""
    _, colors, tiles, starts, *_ = arrays
    vectors = 0
    while start < stop:
        room = scratch(int(np.diff(starts).max()), (colors.shape[1], *tiles[0, 2:]), vectors)
        local = np.zeros((2, COLUMNS + colors.shape[1], room.order.shape[1]), np.float32)
        start = work(*arrays, room, local, start, stop)
        vectors = 2 * int(room.counts[TOTAL])


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


@jit
def _forward(geometry, colors, tiles, starts, members, cutoff, out, room, local, start, stop):
    """Jobs [start, stop); job j draws tile j % T of image j // T. `local` (2, 5 + C, K) is worked on.

    Returns:
        The first job that was not done, for want of room.
    """
    for job in range(start, stop):
        i, t = job // len(tiles), job % len(tiles)
        top, left, height, width = tiles[t]
        if not _draw_tile(geometry[i], colors[i], tiles[t], members[starts[t] : starts[t + 1]], cutoff, room, local[0]):
            return job
        for c in range(colors.shape[1]):
            for y in range(height):
                for x in range(width):
                    out[i, c, top + y, left + x] = room.picture[c, y, x]
    return stop


@jit
def _backward(geometry, colors, tiles, starts, members, cutoff, residual, parts, room, local, start, stop):
    """As `_forward`; fills parts (N, 5 + C, P), one column for each of `members`."""
    shape, gradient = local[0], local[1]
    for job in range(start, stop):
        i, t = job // len(tiles), job % len(tiles)
        top, left, height, width = tiles[t]
        begin, end = starts[t], starts[t + 1]
        if not _draw_tile(geometry[i], colors[i], tiles[t], members[begin:end], cutoff, room, shape):
            return job
        room.picture[:] = np.float32(0)
        for c in range(colors.shape[1]):
            for y in range(height):
                for x in range(width):
                    room.picture[c, y, x] = residual[i, c, top + y, left + x]
        kernel.differentiate(shape[:COLUMNS], shape[COLUMNS:], room, gradient)
        for j in range(gradient.shape[0]):
            for k in range(end - begin):
                parts[i, j, begin + k] = gradient[j, k]
    return stop


@jit
def _draw_tile(geometry, colors, tile, members, cutoff, room, shape):
    """Gather a tile's splats in `shape` (5 + C, K) and draw them; returns whether there was room."""
    gather(geometry, colors, members, tile, shape[:COLUMNS], shape[COLUMNS:])
    plan(shape[:COLUMNS], len(members), tile[2], tile[3], cutoff, room)
    if lacks_room(room):
        return False
    kernel.draw(shape[:COLUMNS], shape[COLUMNS:], room)
    return True
