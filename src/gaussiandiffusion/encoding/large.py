"""The fit of one large picture: tile by tile, in parallel, for the same result as `fit` up to rounding."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numba import njit

from gaussiandiffusion.encoding.fit import (
    CLOSER,
    adam,
    decay,
    draw_window,
    hinge_bounds,
    new_state,
    squared_error,
    to_residual,
    unpack,
)
from gaussiandiffusion.encoding.parameters import Schedule
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.kernel import COLUMNS, EXACT
from gaussiandiffusion.rendering.cpu.tiles import bin_splats, collect, gather, largest, tile_grid

PARTS = 4  # jobs for each thread: tiles differ in cost


def fit_large(image: np.ndarray, parameters: np.ndarray, schedule: Schedule, pool: ThreadPoolExecutor) -> float:
    """Fit one image's splats in place.

    Args:
        image: uint8 (C, H, W).
        parameters: float32 (K, 5 + C), the start; overwritten with the fit.
        schedule: rates and limits.
        pool: its threads share the work.

    Returns:
        The mean squared error of the picture drawn without any cut-off.
    """
    height, width = image.shape[1:]
    splats, columns = parameters.shape
    tiles = tile_grid(height, width)
    state = new_state(splats, columns)
    rows, shape, gradients = state[:3]
    rows[:, :splats] = parameters.T
    state[5] = rows
    cutoff = np.float32(schedule.cutoff)
    enough = schedule.target * image.size
    power1, power2 = 1.0, 1.0
    for step in range(schedule.iterations):
        unpack(rows, shape)
        starts, members = bin_splats(shape[:COLUMNS], splats, tiles, cutoff)
        parts = np.empty((1, columns, len(members)), np.float32)
        errors = _in_pool(pool, shape, tiles, starts, members, image, cutoff, schedule.tolerance, parts)
        if errors.sum() <= enough:  # what is drawn is cut off, what counts is not
            if _squared_error(pool, shape, splats, tiles, image) <= schedule.target * image.size:
                break
            enough *= CLOSER
        gradients[:] = 0
        collect(parts, members, gradients[None])
        power1 *= schedule.beta1
        power2 *= schedule.beta2
        adam(state, schedule, decay(step, schedule), 1 / (1 - power1), 1 / math.sqrt(1 - power2))
    unpack(rows, shape)
    parameters[:] = rows[:, :splats].T
    return _squared_error(pool, shape, splats, tiles, image) / image.size


def _squared_error(
    pool: ThreadPoolExecutor, shape: np.ndarray, splats: int, tiles: np.ndarray, image: np.ndarray
) -> float:
    """Sum of squared errors of the clamped picture, drawn without cut-off."""
    exact, nothing = np.float32(EXACT), np.empty((1, 0, 0), np.float32)
    starts, members = bin_splats(shape[:COLUMNS], splats, tiles, exact)
    return float(_in_pool(pool, shape, tiles, starts, members, image, exact, 0.0, nothing).sum())


def _in_pool(
    pool: ThreadPoolExecutor, shape: np.ndarray, tiles: np.ndarray, starts: np.ndarray, *rest: Any
) -> np.ndarray:
    """`_tile_gradients` of all tiles, in jobs of about equal numbers of splats; returns every tile's sum of squares."""
    errors = np.empty(len(tiles))
    jobs = torch.get_num_threads() * PARTS
    inner = np.searchsorted(starts, np.linspace(0, starts[-1], jobs + 1)[1:-1])
    work = partial(_tile_gradients, shape, tiles, starts, *rest, errors)
    for done in [pool.submit(work, *pair) for pair in pairwise([0, *inner, len(tiles)])]:
        done.result()
    return errors


@njit(**FAST)
def _tile_gradients(shape, tiles, starts, members, image, cutoff, tolerance, parts, errors, first, last):
    """Gradients of the splats of tiles [first, last) from each tile, one column of parts (1, F, P) for each member.

    With empty `parts`, only `errors`, of the clamped picture.
    """
    channels = image.shape[0]
    if first >= last:
        return
    most = kernel.whole_vectors(largest(starts[first : last + 1]))
    footprints, values, picture = kernel.scratch(most, channels, tiles[0, 2], tiles[0, 3])
    local, gradients = np.zeros((shape.shape[0], most), np.float32), np.empty((shape.shape[0], most), np.float32)
    bounds = np.empty((2, *picture.shape), np.float32)
    for t in range(first, last):
        top, left, height, width = tiles[t]
        window = image[:, top : top + height, left : left + width]
        begin, end = starts[t], starts[t + 1]
        splats = end - begin
        gather(shape[:COLUMNS], shape[COLUMNS:], members[begin:end], tiles[t], local[:COLUMNS], local[COLUMNS:])
        values = draw_window(local, splats, height, width, cutoff, footprints, values, picture)
        if parts.size == 0:
            errors[t] = squared_error(picture, window)
            continue
        hinge_bounds(window, tolerance, bounds)
        errors[t] = to_residual(picture, bounds)
        kernel.differentiate(
            local[:COLUMNS], local[COLUMNS:], footprints, values, picture, gradients[:COLUMNS], gradients[COLUMNS:]
        )
        parts[0, :, begin:end] = gradients[:, :splats]
