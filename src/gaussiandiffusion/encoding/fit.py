"""The fit: fused Adam on a hinge residual, one image at a time, all in one compiled loop.

Splats come and go as `parameters` describes; inside, every parameter is a row over the splats, padded to whole vectors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types

from gaussiandiffusion.encoding.parameters import ANYTHING
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.kernel import COLUMNS, EXACT
from gaussiandiffusion.rendering.cpu.simd import (
    LANES,
    SHIFT,
    STRICT,
    Array,
    Value,
    emitted,
    exp2,
    loop,
    totals,
    vector,
    when,
)

F = np.float32
CLOSER = 0.9
_LOG2E = math.log2(math.e)


@njit(**FAST)
def fit_range(images, parameters, schedule, errors):
    """Fit images one after another, in place.

    Args:
        images: uint8 (N, C, H, W).
        parameters: float32 (N, K, 5 + C), starts in, fits out.
        schedule: a `Schedule`.
        errors: float64 (N,), overwritten with the mean squared error of the picture drawn without any cut-off.
    """
    count, channels, height, width = images.shape
    splats, columns = parameters.shape[1:]
    state = new_state(splats, columns)
    footprints, values, picture = kernel.scratch(state.shape[2], channels, height, width)
    bounds = np.empty((2, *picture.shape), np.float32)
    cutoff = F(schedule.cutoff)
    size = channels * height * width
    for i in range(count):
        enough = schedule.target * size
        hinge_bounds(images[i], schedule.tolerance, bounds)
        state[:] = F(0)
        rows, shape, gradients = state[0], state[1], state[2]
        rows[:, :splats] = parameters[i].T
        state[5] = rows
        power1, power2 = 1.0, 1.0
        for step in range(schedule.iterations):
            unpack(rows, shape)
            values = draw_window(shape, splats, height, width, cutoff, footprints, values, picture)
            if to_residual(picture, bounds) <= enough:
                # What is drawn is cut off, what counts is not: look again, and closer next time.
                values = draw_window(shape, splats, height, width, F(EXACT), footprints, values, picture)
                if squared_error(picture, images[i]) <= schedule.target * size:
                    break
                enough *= CLOSER
                values = draw_window(shape, splats, height, width, cutoff, footprints, values, picture)
                to_residual(picture, bounds)
            kernel.differentiate(
                shape[:COLUMNS], shape[COLUMNS:], footprints, values, picture, gradients[:COLUMNS], gradients[COLUMNS:]
            )
            power1 *= schedule.beta1
            power2 *= schedule.beta2
            adam(state, schedule, decay(step, schedule), 1 / (1 - power1), 1 / math.sqrt(1 - power2))
        unpack(rows, shape)
        values = draw_window(shape, splats, height, width, F(EXACT), footprints, values, picture)
        errors[i] = squared_error(picture, images[i]) / size
        parameters[i] = rows[:, :splats].T


@njit(**FAST)
def new_state(splats, columns):
    """Zeros (6, 5 + C, K padded): parameters, geometry and colours, gradients, two moments, start parameters."""
    return np.zeros((6, columns, (splats + LANES - 1) // LANES * LANES), np.float32)


@njit(**FAST)
def decay(step, schedule):
    """Half a cosine from 1 towards `lr_end` over the iterations."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / schedule.iterations))
    return schedule.lr_end + (1 - schedule.lr_end) * cosine


@njit(**STRICT)
def unpack(rows, shape):
    """Rows of parameters to the kernel's geometry (5, K) and, after it, colours (C, K)."""
    for j in range(rows.shape[0]):
        _unpack_row(rows, shape, j * rows.shape[1], rows.shape[1], j == 2 or j == 4)


@emitted()
def _unpack_row(rows: Array, shape: Array, start: Value, width: Value, is_logarithm: Value) -> None:
    def copy(i: Value) -> None:
        shape.store(start + i * LANES, rows.load(start + i * LANES))

    def raise_up(i: Value) -> None:
        shape.store(start + i * LANES, exp2(rows.load(start + i * LANES) * _LOG2E))

    count = width >> SHIFT
    when(is_logarithm > 0, lambda: loop(count, raise_up))
    when(is_logarithm.equals(0), lambda: loop(count, copy))


@njit(**FAST)
def draw_window(shape, splats, height, width, cutoff, footprints, values, picture):
    """Draw a window; returns `values`, grown if need be."""
    values = kernel.room_for(values, kernel.plan(shape[:COLUMNS], splats, height, width, cutoff, footprints, picture))
    kernel.draw(shape[:COLUMNS], shape[COLUMNS:], footprints, values, picture)
    return values


@njit(**STRICT)
def to_residual(picture, bounds):
    """Replace a drawn window by its hinge residual, 0 in the padding; returns the sum of squares."""
    return _to_residual(picture, bounds, picture.size)


@emitted(types.float32)
def _to_residual(picture: Array, bounds: Array, size: Value) -> Value:
    def step(i: Value, squares: Value) -> list[Value]:
        at = i * LANES
        pixel = picture.load(at)
        residual = pixel - pixel.clip(bounds.load(at), bounds.load(at + size))
        picture.store(at, residual)
        return [squares + residual * residual]

    (squares,) = loop(size >> SHIFT, step, vector(size, 0))
    return totals([squares]).element(0)


@njit(**FAST)
def hinge_bounds(image, tolerance, bounds):
    """Lay out the values between which a drawn pixel is right: bounds (2, C, *padded(height, width)).

    They are the target pixel minus and plus the tolerance, but -inf and +inf where that reaches 0 and 1. Without
    tolerance the hinge residual p - clip(p, low, high) so is zero exactly when the clamped picture is right, and no
    gradient dies elsewhere. In the padding anything is right.
    """
    bounds[0], bounds[1] = -ANYTHING, ANYTHING
    for c in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                t = F(image[c, y, x]) / F(255)
                if t > tolerance:
                    bounds[0, c, y, x] = t - F(tolerance)
                if t + tolerance < 1:
                    bounds[1, c, y, x] = t + F(tolerance)


@njit(**FAST)
def squared_error(picture, image):
    """Sum of squared errors of the clamped picture against an 8-bit image."""
    total = 0.0
    for c in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                r = min(max(picture[c, y, x], F(0)), F(1)) - F(image[c, y, x]) / F(255)
                total += r * r
    return total


@njit(**STRICT)
def adam(state, schedule, rate, correction1, correction2):
    """One step of every parameter, kept within its limits.

    Args:
        state: of `new_state`; its gradients are with respect to geometry and colours.
        rate: factor of all the schedule's rates and pulls.
        correction1, correction2: factors of the first moment and of the root of the second that remove their bias.
    """
    for j in range(state.shape[1]):
        _adam_row(
            state, state.shape[1] * state.shape[2], j * state.shape[2], state.shape[2], F(schedule.beta1),
            F(schedule.beta2), F(rate * correction1) * schedule.rates[j], F(correction2), F(schedule.epsilon),
            F(rate) * schedule.pulls[j], schedule.low[j], schedule.high[j], F(j == 2 or j == 4),
        )  # fmt: skip


@emitted()
def _adam_row(
    state: Array, size: Value, start: Value, width: Value, beta1: Value, beta2: Value, speed: Value, correction: Value,
    epsilon: Value, pull: Value, low: Value, high: Value, is_logarithm: Value,
) -> None:  # fmt: skip
    """`adam` of the parameters state[0, start : start + width]; `size` numbers lie between the parts of the state."""
    beta1, beta2, speed, correction, epsilon, pull, low, high, is_logarithm = (
        x.spread() for x in (beta1, beta2, speed, correction, epsilon, pull, low, high, is_logarithm)
    )
    rest1, rest2 = -beta1 + 1, -beta2 + 1

    def step(i: Value) -> None:
        at = start + i * LANES
        row, shape, gradient, moment1, moment2, begin = (state.load(at + size * part) for part in range(6))
        gradient = (is_logarithm > 0).where(gradient * shape, gradient)  # the chain rule of log a, log d
        moment1 = beta1 * moment1 + rest1 * gradient
        moment2 = beta2 * moment2 + rest2 * gradient * gradient
        state.store(at + size * 3, moment1)
        state.store(at + size * 4, moment2)
        moved = row - speed * moment1 / (moment2.sqrt() * correction + epsilon) - pull * (row - begin)
        state.store(at, moved.clip(low, high))

    loop(width >> SHIFT, step)
