"""The fit: fused Adam on a hinge residual, one image at a time, all in one compiled loop.

Splats come and go as `parameters` describes; inside, every parameter is a row over the splats, padded to whole vectors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from gaussiandiffusion.encoding.parameters import ANYTHING
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.kernel import COLUMNS, EXACT
from gaussiandiffusion.rendering.cpu.simd import LANES, STRICT, broadcast, clip, exp2, load, sqrt, store, store_totals

F = np.float32
CLOSER = 0.9
_LOG2E = F(math.log2(math.e))


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
    boxes, values, picture = kernel.scratch(splats, channels, height, width)
    state = new_state(splats, columns)
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
            values = draw_window(shape, splats, height, width, cutoff, boxes, values, picture)
            if to_residual(picture, bounds) <= enough:
                # What is drawn is cut off, what counts is not: look again, and closer next time.
                values = draw_window(shape, splats, height, width, F(EXACT), boxes, values, picture)
                if squared_error(picture, images[i]) <= schedule.target * size:
                    break
                enough *= CLOSER
                values = draw_window(shape, splats, height, width, cutoff, boxes, values, picture)
                to_residual(picture, bounds)
            kernel.differentiate(
                shape[:COLUMNS], shape[COLUMNS:], splats, boxes, values, picture,
                gradients[:COLUMNS], gradients[COLUMNS:],
            )  # fmt: skip
            power1 *= schedule.beta1
            power2 *= schedule.beta2
            adam(state, schedule, decay(step, schedule), 1 / (1 - power1), 1 / math.sqrt(1 - power2))
        unpack(rows, shape)
        values = draw_window(shape, splats, height, width, F(EXACT), boxes, values, picture)
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
    shape[:] = rows
    logarithms, factors = rows.reshape(-1), shape.reshape(-1)
    width = rows.shape[1]
    for j in (2, 4):
        for at in range(j * width, (j + 1) * width, LANES):
            store(factors, at, exp2(load(logarithms, at) * broadcast(_LOG2E)))


@njit(**FAST)
def draw_window(shape, splats, height, width, cutoff, boxes, values, picture):
    """Draw a window; returns `values`, grown if need be."""
    values = kernel.room_for(values, kernel.plan(shape[:COLUMNS], splats, height, width, cutoff, boxes))
    kernel.draw(shape[:COLUMNS], shape[COLUMNS:], splats, boxes, values, picture)
    return values


@njit(**STRICT)
def to_residual(picture, bounds):
    """Replace a drawn window by its hinge residual, 0 in the padding; returns the sum of squares."""
    drawn, low, high = picture.reshape(-1), bounds[0].reshape(-1), bounds[1].reshape(-1)
    zero = broadcast(F(0))
    squares, sums = zero, np.empty(LANES // 2, np.float32)
    for at in range(0, drawn.shape[0], LANES):
        pixel = load(drawn, at)
        residual = pixel - clip(pixel, load(low, at), load(high, at))
        store(drawn, at, residual)
        squares = squares + residual * residual
    store_totals(sums, squares, zero, zero, zero, zero, zero, zero, zero)
    return sums[0]


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
    rows, shape, gradients = state[0].reshape(-1), state[1].reshape(-1), state[2].reshape(-1)
    moments1, moments2, starts = state[3].reshape(-1), state[4].reshape(-1), state[5].reshape(-1)
    b1, b2 = broadcast(F(schedule.beta1)), broadcast(F(schedule.beta2))
    c1, c2 = broadcast(F(1 - schedule.beta1)), broadcast(F(1 - schedule.beta2))
    root, small = broadcast(F(correction2)), broadcast(F(schedule.epsilon))
    width = state.shape[2]
    for j in range(state.shape[1]):
        speed = broadcast(F(rate * correction1) * schedule.rates[j])
        pull = broadcast(F(rate) * schedule.pulls[j])
        lowest, highest = broadcast(schedule.low[j]), broadcast(schedule.high[j])
        for at in range(j * width, (j + 1) * width, LANES):
            gradient = load(gradients, at)
            if j == 2 or j == 4:  # chain rule of log a, log d
                gradient = gradient * load(shape, at)
            first = b1 * load(moments1, at) + c1 * gradient
            second = b2 * load(moments2, at) + c2 * gradient * gradient
            store(moments1, at, first)
            store(moments2, at, second)
            row = load(rows, at)
            moved = row - speed * first / (sqrt(second) * root + small) - pull * (row - load(starts, at))
            store(rows, at, clip(moved, lowest, highest))
