"""The fused CPU kernel: footprint culling, vectorised exp2, all gradients from six moments.

One image's pixels are kept as overlapping strips, `LANES` pixels wide and one every `STRIDE` pixels, each stored
row after row. A splat's footprint then is a contiguous run of `rows * LANES` numbers in one strip (or in a few
neighbouring ones when it is wider), so each inner loop is a single long loop that LLVM vectorises. The strips are
summed into the picture once per pass.

Splats are in pixel units here: columns mx, my, a, b, d of `geometry`, where u = a dx + b dy, v = d dy and the
splat's value is exp(-(u^2 + v^2) / 2), dx and dy counted from pixel (0, 0)'s centre. Only the bounding box of the
ellipse at `cutoff` sigmas is drawn (rounded outward to whole strips), so a pixel misses at most
exp(-cutoff^2 / 2) of a splat's colour: 0.0022 at 3.5.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import int32, njit, types
from numba.extending import intrinsic

LANES = 16
STRIDE = 4
HOP = LANES // STRIDE  # strips from one run of a wide splat to its next
ROW_PAD = 4  # rows per run are rounded up to this: no scalar remainder at 64 numbers a step
SQRT_HALF_LOG2E = np.float32(0.8493218002880190)  # scales u, v so that exp(-(u^2+v^2)/2) = 2^-(u'^2+v'^2)
COLUMNS = 5  # of the geometry: mx, my, a, b, d
NEVER = np.float32(1e9)  # a cutoff that cuts nothing

F = np.float32
FAST: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True, "cache": True}


@intrinsic
def _bits_to_float(typing_context: Any, bits: Any) -> Any:  # pragma: no cover (compiled)
    """Reinterpret an int32's bits as a float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(inline="always", **FAST)
def exp2(x):
    """2^x for x <= 127, relative error 2e-7: the integer part by exponent bits, the rest by a polynomial."""
    x = max(x, F(-120.0))
    whole = int32(x + F(128)) - int32(128)
    part = x - F(whole)
    p = F(1.8775767e-3)
    p = p * part + F(8.9893397e-3)
    p = p * part + F(5.5826318e-2)
    p = p * part + F(2.4015361e-1)
    p = p * part + F(6.9315308e-1)
    p = p * part + F(9.9999994e-1)
    return p * _bits_to_float(int32((whole + int32(127)) << int32(23)))


@njit(**FAST)
def lane_tables(height):
    """x and y of every number of a strip, counted from its first pixel."""
    n = (height + ROW_PAD) * LANES
    xs, ys = np.empty(n, np.float32), np.empty(n, np.float32)
    for i in range(n):
        xs[i] = i % LANES
        ys[i] = i // LANES
    return xs, ys


@njit(**FAST)
def strip_count(width):
    return (width - 1) // STRIDE + 1


@njit(**FAST)
def padded_width(width):
    """Width of a row-major picture into which every strip fits."""
    return (strip_count(width) - 1) * STRIDE + LANES


@njit(**FAST)
def plan(geometry, height, width, cutoff, runs):
    """Lay out every splat's runs; returns how many numbers they hold.

    Fills `runs` (K, 5): first row, rows, first strip, runs, offset of its values.
    """
    total = 0
    for k in range(geometry.shape[0]):
        a, b, d = geometry[k, 2], geometry[k, 3], geometry[k, 4]
        reach_y = min(cutoff / d, NEVER)
        reach_x = min(cutoff / a * F(math.sqrt(F(1) + b * b / (d * d))), NEVER)
        top = int32(max(F(0), F(math.ceil(geometry[k, 1] - reach_y))))
        bottom = int32(min(F(height - 1), F(math.floor(geometry[k, 1] + reach_y))))
        left = int32(max(F(0), F(math.ceil(geometry[k, 0] - reach_x))))
        right = int32(min(F(width - 1), F(math.floor(geometry[k, 0] + reach_x))))
        rows = 0
        if bottom >= top and right >= left:
            rows = (bottom - top + ROW_PAD) // ROW_PAD * ROW_PAD
        first = left // STRIDE
        count = (right - first * STRIDE) // LANES + 1 if rows else 0
        runs[k, 0] = top
        runs[k, 1] = rows
        runs[k, 2] = first
        runs[k, 3] = count
        runs[k, 4] = total
        total += rows * LANES * count
    return total


@njit(**FAST)
def _draw_run(values, xs, ys, a, b, start, d, v0):
    for i in range(values.shape[0]):
        u = a * xs[i] + (b * ys[i] + start)
        v = d * ys[i] + v0
        values[i] = exp2(-(u * u + v * v))


@njit(**FAST)
def _add_run(strip, values, color):
    for i in range(values.shape[0]):
        strip[i] += color * values[i]


@njit(**FAST)
def _moments(values, residual, xs, ys, mx, my):
    m0, m_x, m_y, m_xx, m_xy, m_yy = F(0), F(0), F(0), F(0), F(0), F(0)
    for i in range(values.shape[0]):
        w = values[i] * residual[i]
        x = xs[i] - mx
        y = ys[i] - my
        w_x, w_y = w * x, w * y
        m0 += w
        m_x += w_x
        m_y += w_y
        m_xx += w_x * x
        m_xy += w_x * y
        m_yy += w_y * y
    return m0, m_x, m_y, m_xx, m_xy, m_yy


@njit(**FAST)
def _dot(x, y):
    total = F(0)
    for i in range(x.shape[0]):
        total += x[i] * y[i]
    return total


@njit(**FAST)
def draw(geometry, colors, runs, values, strips, xs, ys, height, picture):
    """Forward pass of one image: fill `values` with the Gaussians and add them up into `picture`.

    Shapes: geometry (K, 5); colors (K, C); strips (C, S, (H + ROW_PAD) * LANES), scratch;
    picture (C, H, padded width), overwritten.
    """
    channels = colors.shape[1]
    strips[:] = F(0)
    for k in range(geometry.shape[0]):
        top, rows, first, count, offset = runs[k]
        n = rows * LANES
        a, b, d = (
            geometry[k, 2] * SQRT_HALF_LOG2E,
            geometry[k, 3] * SQRT_HALF_LOG2E,
            geometry[k, 4] * SQRT_HALF_LOG2E,
        )
        dy = F(top) - geometry[k, 1]
        for j in range(count):
            strip = first + j * HOP
            dx = F(strip * STRIDE) - geometry[k, 0]
            at = offset + j * n
            run = values[at : at + n]
            _draw_run(run, xs[:n], ys[:n], a, b, a * dx + b * dy, d, d * dy)
            for c in range(channels):
                _add_run(strips[c, strip, top * LANES : top * LANES + n], run, colors[k, c])
    picture[:] = F(0)
    for c in range(channels):
        for s in range(strips.shape[1]):
            for y in range(height):
                row = picture[c, y, s * STRIDE : s * STRIDE + LANES]
                source = strips[c, s, y * LANES : (y + 1) * LANES]
                for x in range(LANES):
                    row[x] += source[x]


@njit(**FAST)
def to_strips(picture, strips, height):
    """Copy a padded picture into every strip that covers it, zeros into the rows below it."""
    for c in range(picture.shape[0]):
        for s in range(strips.shape[1]):
            strips[c, s, height * LANES :] = F(0)
            for y in range(height):
                row = picture[c, y, s * STRIDE : s * STRIDE + LANES]
                target = strips[c, s, y * LANES : (y + 1) * LANES]
                for x in range(LANES):
                    target[x] = row[x]


@njit(**FAST)
def differentiate(geometry, colors, runs, values, strips, xs, ys, mixed, grad_geometry, grad_colors):
    """Backward pass of one image: gradients of <residual, picture> from the stored Gaussians.

    Args:
        strips: the residual dL/dpicture, as `to_strips` lays it out (C, S, n).
        mixed: scratch for one run, colour-weighted residuals.
        grad_geometry, grad_colors: (K, 5) and (K, C), overwritten.

    With w = value * sum_c colour_c residual_c and its moments about the mean M0, Mx, ... Myy:
    d/dmx = a^2 Mx + a b My, d/dmy = a b Mx + (b^2 + d^2) My, d/da = -(a Mxx + b Mxy),
    d/db = -(a Mxy + b Myy), d/dd = -d Myy, d/dcolour_c = sum value * residual_c.
    """
    channels = colors.shape[1]
    grad_geometry[:] = F(0)
    grad_colors[:] = F(0)
    for k in range(geometry.shape[0]):
        top, rows, first, count, offset = runs[k]
        n = rows * LANES
        a, b, d = geometry[k, 2], geometry[k, 3], geometry[k, 4]
        begin = top * LANES
        for j in range(count):
            strip = first + j * HOP
            at = offset + j * n
            run = values[at : at + n]
            scale = F(1)
            if channels == 1:
                residual = strips[0, strip, begin : begin + n]
                scale = colors[k, 0]
            else:
                residual = mixed[:n]
                residual[:] = F(0)
                for c in range(channels):
                    one = strips[c, strip, begin : begin + n]
                    _add_run(residual, one, colors[k, c])
                    grad_colors[k, c] += _dot(run, one)
            mx = geometry[k, 0] - F(strip * STRIDE)
            my = geometry[k, 1] - F(top)
            m0, m_x, m_y, m_xx, m_xy, m_yy = _moments(run, residual, xs[:n], ys[:n], mx, my)
            if channels == 1:
                grad_colors[k, 0] += m0
            grad_geometry[k, 0] += scale * (a * a * m_x + a * b * m_y)
            grad_geometry[k, 1] += scale * (a * b * m_x + (b * b + d * d) * m_y)
            grad_geometry[k, 2] -= scale * (a * m_xx + b * m_xy)
            grad_geometry[k, 3] -= scale * (a * m_xy + b * m_yy)
            grad_geometry[k, 4] -= scale * d * m_yy


@njit(**FAST)
def scratch(splats, channels, height, width):
    """Buffers for one image of K splats: runs, values (grown when needed), strips, mixed, picture."""
    n = (height + ROW_PAD) * LANES
    return (
        np.zeros((splats, 5), np.int64),
        np.empty(splats * LANES * 12, np.float32),
        np.zeros((channels, strip_count(width), n), np.float32),
        np.empty(n, np.float32),
        np.zeros((channels, height, padded_width(width)), np.float32),
    )


@njit(**FAST)
def room_for(values, total):
    """`values`, or a larger buffer if it cannot hold `total` numbers."""
    return values if values.shape[0] >= total else np.empty(total + total // 2, np.float32)
