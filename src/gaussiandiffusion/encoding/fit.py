"""The fit: fused Adam on a hinge residual, one image at a time, all in one compiled loop.

Splats come and go as `parameters` describes; inside, every parameter is a row over the splats, padded to whole vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gaussiandiffusion.encoding.parameters import ANYTHING, MAX_SLOPE, Schedule
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.emission import emitted, loop, when
from gaussiandiffusion.rendering.cpu.footprints import COLUMNS, EXACT, TOTAL, lacks_room, plan, scratch, whole_vectors
from gaussiandiffusion.rendering.cpu.simd import LANES, SHIFT, Array, Value, vector
from gaussiandiffusion.rendering.cpu.vectors import exp2, totals

F = np.float32
CLOSER = 0.9
_LOG2E = math.log2(math.e)
SHAPE, GRADIENT, _MOMENT1, _MOMENT2, START = range(1, 6)  # parts of the state after the parameters: see `new_state`


def fit_range(images: np.ndarray, parameters: np.ndarray, schedule: Schedule, errors: np.ndarray) -> None:
    """Fit images one after another, in place.

    Args:
        images: uint8 (N, C, H, W).
        parameters: float32 (N, K, 5 + C), starts in, fits out.
        schedule: rates and limits.
        errors: float64 (N,), overwritten with the mean squared error of the picture drawn without any cut-off.
    """
    splats, columns = parameters.shape[1:]
    state = new_state(splats, columns)
    done, vectors = 0, 0
    while done < len(images):
        room = scratch(splats, images.shape[1:], vectors)
        bounds = np.empty((2, *room.picture.shape), np.float32)
        rest = images[done:], parameters[done:], schedule, errors[done:]
        count, vectors = _fit_range(*rest, state, room, bounds, *grey_bounds(schedule))
        done, vectors = done + count, 2 * vectors


@jit
def _fit_range(images, parameters, schedule, errors, state, room, bounds, lowest, highest):
    """`fit_range`; returns how many images were fitted, and how many vectors the next one would have needed."""
    count, channels, height, width = images.shape
    splats = parameters.shape[1]
    size = channels * height * width
    target = schedule.target * size
    cutoff, exact = F(schedule.cutoff), F(EXACT)
    geometry, colors, gradient = state[SHAPE, :COLUMNS], state[SHAPE, COLUMNS:], state[GRADIENT]
    for i in range(count):
        hinge_bounds(images[i], lowest, highest, bounds)
        begin(parameters[i], state)
        power1, power2, enough = 1.0, 1.0, target
        step, whole, looked = 0, False, False
        while True:
            unpack(state)
            # What is drawn to be fitted is cut off, what counts is not. So the whole is looked at when all steps are
            # taken, and when the target may be reached; if it is not, the next look is taken closer to it.
            whole = whole or step == schedule.iterations
            plan(geometry, splats, height, width, exact if whole else cutoff, room)
            if lacks_room(room):
                return i, room.counts[TOTAL]
            kernel.draw(geometry, colors, room)
            if whole:
                error = squared_error(room.picture, images[i])
                if error <= target or step == schedule.iterations:
                    break
                whole, looked = False, True
                enough *= CLOSER
                continue
            whole = to_residual(room.picture, bounds) <= enough and not looked
            if whole:
                continue
            kernel.differentiate(geometry, colors, room, gradient)
            power1 *= schedule.beta1
            power2 *= schedule.beta2
            adam(state, schedule, decay(step, schedule), 1 / (1 - power1), 1 / math.sqrt(1 - power2))
            step += 1
            looked = False
        errors[i] = error / size
        finish(state, parameters[i])
    return count, 0


def new_state(splats: int, columns: int) -> np.ndarray:
    """Zeros (6, 5 + C, K padded): parameters, geometry and colours, gradients, two moments, start parameters."""
    return np.zeros((6, columns, whole_vectors(splats)), np.float32)


def grey_bounds(schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """For every grey level, the values between which a drawn pixel is right, float32 (256,) each.

    They are the target pixel minus and plus the tolerance, but -inf and +inf where that reaches 0 and 1. Without
    tolerance the hinge residual p - clip(p, low, high) so is zero exactly when the clamped picture is right, and no
    gradient dies elsewhere.
    """
    target, slack = np.arange(256, dtype=np.float32) / F(255), F(schedule.tolerance)
    low = np.where(target > schedule.tolerance, target - slack, F(-ANYTHING))
    high = np.where(target + schedule.tolerance < 1, target + slack, F(ANYTHING))
    return low.astype(np.float32), high.astype(np.float32)


@emitted
def hinge_bounds(image: Array, lowest: Array, highest: Array, bounds: Array) -> None:
    """Lay out an image's `grey_bounds` like the picture, (2, C, rows, columns); in the padding anything is right."""
    _, channels, rows, columns = bounds.shape
    size = channels * rows * columns
    for part, anything in ((0, -ANYTHING), (1, ANYTHING)):
        filling = vector(size, anything)
        loop(size >> SHIFT, lambda i, at=size * part, x=filling: bounds.store(at + i * LANES, x))

    def pixel(grey: Value, at: Value, nothing: Value) -> list[Value]:
        bounds.store(at, lowest.number(grey))
        bounds.store(at + size, highest.number(grey))
        return [nothing]

    _each_pixel(image, rows, columns, pixel)


@emitted
def squared_error(picture: Array, image: Array) -> Value:
    """Sum of squared errors of the clamped picture against an 8-bit image."""

    def pixel(grey: Value, at: Value, total: Value) -> list[Value]:
        r = picture.number(at).clip(0, 1) - grey.real() * (1 / 255)
        return [total + r * r]

    return _each_pixel(image, picture.shape[1], picture.shape[2], pixel)


def _each_pixel(image: Array, rows: Value, columns: Value, body: Callable[[Value, Value, Value], list[Value]]) -> Value:
    """The sum over rows of what `body(grey, at, total)` makes of 0 along a row, `at` in a picture of rows x columns."""
    (channels, height, width), strides = image.shape, image.strides
    zero = vector(rows, 0).element(0)

    def row(i: Value, c: Value, y: Value, total: Value) -> list[Value]:
        source, target = c * strides[0] + y * strides[1], (c * rows + y) * columns
        (more,) = loop(width, lambda x, so_far: body(image.number(source + x * strides[2]), target + x, so_far), zero)
        return [total + more]

    def plane(c: Value, total: Value) -> list[Value]:
        return loop(height, lambda y, so_far: row(y, c, y, so_far), total)

    return loop(channels, plane, zero)[0]


@emitted
def begin(parameters: Array, state: Array) -> None:
    """Take one image's parameters (K, 5 + C) as where its fit stands and starts, with moments of zero."""
    nothing, size = vector(state.shape[2], 0), state.shape[1] * state.shape[2]
    loop((size * 6) >> SHIFT, lambda i: state.store(i * LANES, nothing))

    def copy(k: Value, j: Value) -> None:
        number = parameters.number(k * parameters.shape[1] + j)
        state.store(j * state.shape[2] + k, number)
        state.store(size * START + j * state.shape[2] + k, number)

    loop(parameters.shape[1], lambda j: loop(parameters.shape[0], lambda k: copy(k, j)))


@emitted
def finish(state: Array, parameters: Array) -> None:
    """Write where the fit stands to one image's parameters (K, 5 + C)."""

    def copy(k: Value, j: Value) -> None:
        parameters.store(k * parameters.shape[1] + j, state.number(j * state.shape[2] + k))

    loop(parameters.shape[1], lambda j: loop(parameters.shape[0], lambda k: copy(k, j)))


@emitted
def unpack(state: Array) -> None:
    """The kernel's geometry and, after it, colours, from the parameters where the fit stands; bounds the slope."""
    _, columns, width = state.shape
    shape = columns * width * SHAPE

    def row(j: Value) -> None:
        logarithm, at = _is_logarithm(j), j * width

        def step(i: Value, convert: Callable[[Value], Value]) -> None:
            here = at + i * LANES
            state.store(shape + here, convert(state.load(here)))

        when(logarithm, lambda: loop(width >> SHIFT, lambda i: step(i, lambda x: exp2(x * _LOG2E))))
        when(logarithm.equals(0), lambda: loop(width >> SHIFT, lambda i: step(i, lambda x: x)))

    def bound_slope(i: Value) -> None:
        at = width * 3 + i * LANES
        most = state.load(shape + width + at) * MAX_SLOPE
        b = state.load(at).clip(-most, most)
        state.store(at, b)
        state.store(shape + at, b)

    loop(columns, row)
    loop(width >> SHIFT, bound_slope)


@emitted
def to_residual(picture: Array, bounds: Array) -> Value:
    """Replace a drawn window by its hinge residual, 0 in the padding; returns the sum of squares."""
    size = picture.shape[0] * picture.shape[1] * picture.shape[2]

    def step(i: Value, squares: Value) -> list[Value]:
        at = i * LANES
        pixel = picture.load(at)
        residual = pixel - pixel.clip(bounds.load(at), bounds.load(at + size))
        picture.store(at, residual)
        return [squares + residual * residual]

    (squares,) = loop(size >> SHIFT, step, vector(size, 0))
    return totals([squares]).element(0)


@jit
def decay(step, schedule):
    """Half a cosine from 1 towards `lr_end` over the iterations."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / schedule.iterations))
    return schedule.lr_end + (1 - schedule.lr_end) * cosine


@emitted
def adam(state: Array, schedule: Any, rate: Value, correction1: Value, correction2: Value) -> None:
    """One step of every parameter, kept within its limits.

    Args:
        state: of `new_state`; its gradients are with respect to geometry and colours.
        rate: factor of all the schedule's rates and pulls.
        correction1, correction2: factors of the first moment and of the root of the second that remove their bias.
    """
    _, columns, width = state.shape
    size = columns * width
    beta1, beta2, epsilon = (x.spread() for x in (schedule.beta1, schedule.beta2, schedule.epsilon))
    rest1, rest2, root = -beta1 + 1, -beta2 + 1, correction2.spread()

    def row(j: Value) -> None:
        logarithm = _is_logarithm(j)
        speed = (rate * correction1 * schedule.rates.number(j)).spread()
        pull, low, high = rate.spread() * schedule.pulls.spread(j), schedule.low.spread(j), schedule.high.spread(j)

        def step(i: Value) -> None:
            at = j * width + i * LANES
            here, shape, gradient, moment1, moment2, start = (state.load(at + size * part) for part in range(6))
            gradient = logarithm.where(gradient * shape, gradient)  # the chain rule of log a, log d
            moment1 = beta1 * moment1 + rest1 * gradient
            moment2 = beta2 * moment2 + rest2 * gradient * gradient
            state.store(at + size * _MOMENT1, moment1)
            state.store(at + size * _MOMENT2, moment2)
            moved = here - speed * moment1 / (moment2.sqrt() * root + epsilon) - pull * (here - start)
            state.store(at, moved.clip(low, high))

        loop(width >> SHIFT, step)

    loop(columns, row)


def _is_logarithm(column: Value) -> Value:
    return column.equals(2) | column.equals(4)
