"""The fit of one large picture: tile by tile, in parallel, for the same result as `fit` up to rounding."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from gaussiandiffusion.encoding import fit
from gaussiandiffusion.encoding.allocate import Allocation, reallocate
from gaussiandiffusion.encoding.fit import (
    CLOSER,
    GRADIENT,
    SHAPE,
    START,
    grey_bounds,
    hinge_bounds,
    new_state,
    to_residual,
)
from gaussiandiffusion.encoding.parameters import Schedule
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.footprints import COLUMNS, EXACT, TOTAL, lacks_room, plan, scratch
from gaussiandiffusion.rendering.cpu.threads import PARTS
from gaussiandiffusion.rendering.cpu.tiles import bin_splats, collect, gather, tile_grid

NOTHING = np.empty((0, 0, 0), np.float32)


def fit_large(
    image: np.ndarray,
    parameters: np.ndarray,
    schedule: Schedule,
    pool: ThreadPoolExecutor,
    *,
    allocation: Allocation | None = None,
    begun: int | None = None,
) -> float:
    """Fit one image's splats in place.

    Args:
        image: uint8 (C, H, W).
        parameters: float32 (K, 5 + C), the start; overwritten with the fit.
        schedule: rates and limits.
        pool: its threads share the work.
        allocation: how splats are moved and added while they are fitted; None: not at all.
        begun: how many splats the start has, which are the first; default: all. The allocation adds the others.

    Returns:
        The mean squared error of the picture drawn without any cut-off.
    """
    tiles = _Tiles(image, len(parameters) if begun is None else begun, grey_bounds(schedule), pool)
    state = new_state(*parameters.shape)
    _begin(parameters[: tiles.splats], state)
    rounds = {} if allocation is None else allocation.at(schedule.iterations)
    still = np.zeros(0, int) if allocation is None else allocation.still
    cutoff, enough = np.float32(schedule.cutoff), schedule.target * image.size
    power1, power2 = 1.0, 1.0
    for step in range(schedule.iterations):
        if allocation is not None and step in rounds:
            grown = tiles.splats + round(rounds.pop(step) * (len(parameters) - tiles.splats))
            _reallocate(tiles, state, schedule, allocation, grown, len(parameters))
        error = tiles.differentiate(state, cutoff)
        if error <= enough and not rounds:  # what is drawn is cut off, what counts is not
            if tiles.squared_error(state) <= schedule.target * image.size:
                break
            enough *= CLOSER
        power1 *= schedule.beta1
        power2 *= schedule.beta2
        _step(state, schedule, fit.decay(step, schedule), 1 / (1 - power1), 1 / math.sqrt(1 - power2))
        if len(still):
            state[0, :, still] = state[START, :, still]
            _unpack(state)
    parameters[:] = state[0, :, : len(parameters)].T
    return tiles.squared_error(state) / image.size


def _reallocate(
    tiles: _Tiles,
    state: np.ndarray,
    schedule: Schedule,
    allocation: Allocation,
    grown: int,
    num_splats: int,
) -> None:
    """One round: from as many splats as the tiles have to `grown`, of the K that there will be."""
    count = tiles.splats
    residual = np.empty(tiles.image.shape, np.float32)
    tiles.differentiate(state, np.float32(schedule.cutoff), residual)
    whole, new = reallocate(
        np.ascontiguousarray(state[0, :, :count].T),
        state[GRADIENT, COLUMNS:, :count].T,
        residual,
        grown=grown,
        allocation=allocation,
        num_splats=num_splats,
        signed=bool(schedule.low[COLUMNS] < 0),
    )
    state[:, :, new] = 0
    state[0, :, new] = state[START, :, new] = whole[new]
    tiles.splats = grown
    _unpack(state)


class _Tiles:
    """A picture's tiles, drawn in parallel.

    Args:
        splats: how many there are.
        bounds: of `grey_bounds`.
    """

    def __init__(
        self, image: np.ndarray, splats: int, bounds: tuple[np.ndarray, np.ndarray], pool: ThreadPoolExecutor
    ) -> None:
        self.image, self.splats, self.bounds, self.pool = image, splats, bounds, pool
        self.tiles = tile_grid(*image.shape[1:])

    def differentiate(self, state: np.ndarray, cutoff: np.float32, residual: np.ndarray = NOTHING) -> float:
        """Write the gradients, and the hinge residuals if there is a (C, H, W) for them; returns the sum of squares."""
        starts, members = bin_splats(state[SHAPE, :COLUMNS], self.splats, self.tiles, cutoff)
        parts = np.empty((1, state.shape[1], len(members)), np.float32)
        error = self._run(state[SHAPE], starts, members, cutoff, parts, residual)
        state[GRADIENT] = 0
        collect(parts, members, state[GRADIENT][None])
        return error

    def squared_error(self, state: np.ndarray) -> float:
        """Sum of squared errors of the clamped picture, drawn without cut-off."""
        starts, members = bin_splats(state[SHAPE, :COLUMNS], self.splats, self.tiles, np.float32(EXACT))
        return self._run(state[SHAPE], starts, members, np.float32(EXACT), NOTHING, NOTHING)

    def _run(self, shape: np.ndarray, starts: np.ndarray, members: np.ndarray, *rest: Any) -> float:
        """`_tile_gradients` of all tiles, in jobs of about equal numbers of splats; returns the sum of squares."""
        errors = np.empty(len(self.tiles))
        most, side = int(np.diff(starts).max()), self.tiles[0, 2:]

        def job(first: int, last: int) -> None:
            vectors = 0
            while first < last:  # again from where there was not room enough
                room = scratch(most, (len(self.image), *side), vectors)
                bounds = np.empty((2, *room.picture.shape), np.float32)
                local = np.zeros((2, len(shape), room.order.shape[1]), np.float32)
                arrays = self.image, self.tiles, starts, members, *rest, errors, *self.bounds
                first = _tile_gradients(shape, *arrays, room, bounds, local, first, last)
                vectors = 2 * int(room.counts[TOTAL])

        jobs = torch.get_num_threads() * PARTS
        inner = np.searchsorted(starts, np.linspace(0, starts[-1], jobs + 1)[1:-1])
        for done in [self.pool.submit(job, *pair) for pair in pairwise([0, *inner, len(self.tiles)])]:
            done.result()
        return float(errors.sum())


@jit
def _begin(parameters, state):
    """`fit.begin` and `fit.unpack`, for Python to call."""
    fit.begin(parameters, state)
    fit.unpack(state)


@jit
def _unpack(state):
    """`fit.unpack`, for Python to call."""
    fit.unpack(state)


@jit
def _step(state, schedule, rate, correction1, correction2):
    """`fit.adam` and `fit.unpack`, for Python to call."""
    fit.adam(state, schedule, rate, correction1, correction2)
    fit.unpack(state)


@jit
def _tile_gradients(
    shape, image, tiles, starts, members, cutoff, parts, residuals, errors, lowest, highest, room, bounds, local, first,
    last,
):  # fmt: skip
    """Gradients of the splats of tiles [first, last) from each tile, one column of parts (1, F, P) for each member.

    With empty `parts`, only `errors`, of the clamped picture. Unless they are empty, `residuals` (C, H, W) are written
    too. `local` (2, 5 + C, K) is worked on.

    Returns:
        The first tile that was not done, for want of room.
    """
    geometry, colors, gradient = local[0, :COLUMNS], local[0, COLUMNS:], local[1]
    for t in range(first, last):
        top, left, height, width = tiles[t]
        window = image[:, top : top + height, left : left + width]
        begin, end = starts[t], starts[t + 1]
        gather(shape[:COLUMNS], shape[COLUMNS:], members[begin:end], tiles[t], geometry, colors)
        plan(geometry, end - begin, height, width, cutoff, room)
        if lacks_room(room):
            return t
        kernel.draw(geometry, colors, room)
        if parts.size == 0:
            errors[t] = fit.squared_error(room.picture, window)
            continue
        hinge_bounds(window, lowest, highest, bounds)
        errors[t] = to_residual(room.picture, bounds)
        if residuals.size:
            for c in range(residuals.shape[0]):
                for y in range(height):
                    for x in range(width):
                        residuals[c, top + y, left + x] = room.picture[c, y, x]
        kernel.differentiate(geometry, colors, room, gradient)
        for j in range(gradient.shape[0]):
            for i in range(end - begin):
                parts[0, j, begin + i] = gradient[j, i]
    return last
