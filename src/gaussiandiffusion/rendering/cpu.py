"""`accumulate` on the CPU through the fused kernel: same signature as the reference, summed splats, float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from torch import Tensor

from gaussiandiffusion.errors import InputError
from gaussiandiffusion.rendering import kernel
from gaussiandiffusion.splats import Canvas, Splats


def accumulate(
    splats: Splats, size: int | tuple[int, int] | None = None, *, cutoff: float | None = None
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map; see `reference.accumulate`.

    Splats are drawn inside the bounding box of their ellipse at `cutoff` sigmas, rounded outward; the reference
    cuts at the ellipse itself, so the two differ by at most exp(-cutoff^2 / 2) of a splat's colour there, and
    by float32 rounding without a cut.

    Raises:
        InputError: blending other than "sum", or tensors that are not float32 on the CPU.
    """
    if splats.blending != "sum":
        raise InputError('the fused kernel draws summed splats only; use the reference renderer for "alpha"')
    if splats.device.type != "cpu" or splats.means.dtype != torch.float32:
        raise InputError("the fused kernel takes float32 tensors on the CPU; use the reference renderer")
    canvas = splats.canvas.resized(size)
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    limit = float(kernel.NEVER) if cutoff is None else cutoff
    total = _Fused.apply(to_pixels(splats, canvas), colors, canvas, limit)
    return total + splats.background[..., None, None]


def to_pixels(splats: Splats, canvas: Canvas) -> Float[Tensor, "n k 5"]:
    """mx, my, a, b, d of every splat in pixels of `canvas`; differentiable."""
    scale = canvas.pixels_per_unit
    half = splats.means.new_tensor([canvas.width - 1, canvas.height - 1]) / 2
    far = float(kernel.NEVER)  # beyond it, pixel numbers would leave the kernel's integers
    means = (splats.means * scale + half).clamp(-far, far)
    return torch.cat([means, splats.precision_factors / scale], -1)


def in_threads(work: Callable[[int, int], None], count: int) -> None:
    """Run `work(start, stop)` over [0, count) on torch's number of threads; the kernel releases the GIL."""
    threads = max(1, min(torch.get_num_threads(), count))
    bounds = [math.ceil(count * i / threads) for i in range(threads + 1)]
    if threads == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, *pair) for pair in pairwise(bounds)]:
            done.result()


class _Fused(torch.autograd.Function):
    """Sum of splats, with the kernel's analytic gradients."""

    @staticmethod
    def forward(ctx: Any, geometry: Tensor, colors: Tensor, canvas: Canvas, cutoff: float) -> Tensor:
        ctx.save_for_backward(geometry, colors)
        ctx.canvas, ctx.cutoff = canvas, cutoff
        out = np.empty((geometry.shape[0], colors.shape[2], canvas.height, canvas.width), np.float32)
        splats = (_array(geometry), _array(colors))
        in_threads(lambda start, stop: _forward(*splats, out, cutoff, start, stop), len(out))
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        geometry, colors = (_array(t) for t in ctx.saved_tensors)
        residual = _array(grads[0])
        grad_geometry, grad_colors = np.empty_like(geometry), np.empty_like(colors)
        in_threads(
            lambda start, stop: _backward(
                geometry, colors, residual, grad_geometry, grad_colors, ctx.cutoff, start, stop
            ),
            len(geometry),
        )
        return torch.from_numpy(grad_geometry), torch.from_numpy(grad_colors), None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


@njit(**kernel.FAST)
def _forward(geometry, colors, out, cutoff, start, stop):
    _, channels, height, width = out.shape
    runs, values, strips, _, picture = kernel.scratch(geometry.shape[1], channels, height, width)
    xs, ys = kernel.lane_tables(height)
    for i in range(start, stop):
        values = kernel.room_for(values, kernel.plan(geometry[i], height, width, np.float32(cutoff), runs))
        kernel.draw(geometry[i], colors[i], runs, values, strips, xs, ys, height, picture)
        out[i] = picture[:, :, :width]


@njit(**kernel.FAST)
def _backward(geometry, colors, residual, grad_geometry, grad_colors, cutoff, start, stop):
    _, channels, height, width = residual.shape
    runs, values, strips, mixed, picture = kernel.scratch(geometry.shape[1], channels, height, width)
    xs, ys = kernel.lane_tables(height)
    for i in range(start, stop):
        values = kernel.room_for(values, kernel.plan(geometry[i], height, width, np.float32(cutoff), runs))
        kernel.draw(geometry[i], colors[i], runs, values, strips, xs, ys, height, picture)
        picture[:] = np.float32(0)
        picture[:, :, :width] = residual[i]
        kernel.to_strips(picture, strips, height)
        kernel.differentiate(
            geometry[i], colors[i], runs, values, strips, xs, ys, mixed, grad_geometry[i], grad_colors[i]
        )
