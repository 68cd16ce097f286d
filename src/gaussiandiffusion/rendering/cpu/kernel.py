"""The fused CPU kernel: footprint culling, vectorised exp2, all gradients from six moments.

It draws one *window*: a whole small picture, or a tile of a large one (`tiles`). Splats are in pixels of the window
here: rows mx, my, a, b, d of `geometry`, where u = a dx + b dy, v = d dy and the splat's value is
exp(-(u^2 + v^2) / 2), dx and dy counted from the mean; pixel (0, 0) has its centre at (0, 0).

Only the bounding box of the ellipse at `cutoff` sigmas is drawn, rounded outward to whole vectors, so a pixel misses at
most exp(-cutoff^2 / 2) of a splat's colour: 0.0022 at 3.5, and less than float32 resolves at `EXACT`.

A vector covers 2 rows of 8 pixels where the box is at most 8 wide, otherwise 16 pixels of a row; a wider box is drawn
in segments of 16 columns. Either way a vector is two halves, `gap` apart in the picture, and a segment is a column of
vectors, `advance` apart: one loop serves all.
"""

from __future__ import annotations

import math

import numpy as np
from numba import int32, njit

from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.simd import (
    HALF,
    LANES,
    STRICT,
    broadcast,
    exp2,
    load,
    load_halves,
    store,
    store_halves,
    store_totals,
)

COLUMNS = 5  # of the geometry: mx, my, a, b, d
EXACT = 7.0  # sigmas: exp(-cutoff^2 / 2) < 2^-35; gradients, which multiply it by squared sigmas, lack nothing either
LEAST = 3  # vectors of a narrow box: most need no more, and a loop of fixed length costs less than a guessed one
FAR = 1e9  # pixels; beyond it, pixel numbers would leave int32

F = np.float32
_SQRT_HALF_LOG2E = F(0.8493218002880190)  # scales u, v so that exp(-(u^2+v^2)/2) = 2^-(u'^2+v'^2)
_NARROW, _WIDE = 0, 2 * LANES  # where x and y of a vector's lanes begin in the table
_LANES_XY = np.concatenate(
    [np.tile(np.arange(HALF), 2), np.repeat(np.arange(2), HALF), np.arange(LANES), np.zeros(LANES)]
).astype(np.float32)


@njit(**FAST)
def padded(height, width):
    """Rows and columns of the array that holds a window: whole vectors may overhang right and below."""
    return height + 2 * LEAST - 1, (width + 2 * LANES - 1) // LANES * LANES


@njit(**FAST)
def plan(geometry, splats, height, width, cutoff, boxes):
    """Find the footprints of the first `splats` splats; returns how many numbers their vectors hold.

    Fills `boxes` (4, K), int32: first row, rows, first column, columns; 0 rows or columns where nothing is drawn.
    """
    mx, my, a, b, d = geometry[0], geometry[1], geometry[2], geometry[3], geometry[4]
    for k in range(splats):
        reach = cutoff / (a[k] * d[k])
        reach_x = min(reach * F(math.sqrt(b[k] * b[k] + d[k] * d[k])), F(FAR))
        reach_y = min(reach * a[k], F(FAR))
        top = max(F(0), F(math.ceil(my[k] - reach_y)))
        bottom = min(F(height - 1), F(math.floor(my[k] + reach_y)))
        left = max(F(0), F(math.ceil(mx[k] - reach_x)))
        right = min(F(width - 1), F(math.floor(mx[k] + reach_x)))
        boxes[0, k] = int32(min(top, F(height)))
        boxes[1, k] = int32(max(F(0), bottom - top + F(1)))
        boxes[2, k] = int32(min(left, F(width)))
        boxes[3, k] = int32(max(F(0), right - left + F(1)))
    total = 0
    for k in range(splats):
        rows, columns = boxes[1, k], boxes[3, k]
        segments, vectors = _count(rows, columns)
        total += segments * vectors
    return total * LANES


@njit(inline="always", **FAST)
def _count(rows, columns):
    """Segments of a box, and vectors in each."""
    if columns <= HALF:
        return 1, max((rows + 1) // 2, LEAST)
    return (columns + LANES - 1) // LANES, rows


@njit(inline="always", **STRICT)
def _layout(rows, columns, stride):
    """Segments, vectors in each, lane table, rows a vector covers, gap, advance."""
    segments, vectors = _count(rows, columns)
    if columns <= HALF:
        return segments, vectors, _NARROW, F(2), stride, 2 * stride
    return segments, vectors, _WIDE, F(1), HALF, stride


@njit(**STRICT)
def draw(geometry, colors, splats, boxes, values, picture):
    """Forward pass of one window: fill `values` with the Gaussians and add them up into `picture`.

    Args:
        geometry: (5, K); colors: (C, K).
        splats: how many of the K to draw.
        boxes: of `plan`.
        values: as many numbers as `plan` says.
        picture: (C, *padded(height, width)), overwritten; its padding holds overhanging vectors afterwards.
    """
    picture[:] = F(0)
    flat = picture.reshape(-1)
    stride, plane = picture.shape[2], picture.shape[1] * picture.shape[2]
    at = 0
    for k in range(splats):
        rows, columns = boxes[1, k], boxes[3, k]
        if rows == 0 or columns == 0:
            continue
        segments, vectors, table, height, gap, advance = _layout(rows, columns, stride)
        left = F(boxes[2, k]) - geometry[0, k]
        a = broadcast(geometry[2, k] * _SQRT_HALF_LOG2E)
        b = broadcast(geometry[3, k] * _SQRT_HALF_LOG2E)
        d = broadcast(geometry[4, k] * _SQRT_HALF_LOG2E)
        down = broadcast(height)
        zero = broadcast(F(0))
        start = boxes[0, k] * stride + boxes[2, k]
        for segment in range(segments):
            ax = a * (load(_LANES_XY, table) + broadcast(left + F(segment * LANES)))
            y = load(_LANES_XY, table + LANES) + broadcast(F(boxes[0, k]) - geometry[1, k])
            pixel = start + segment * LANES
            for _ in range(vectors):
                u = ax + b * y
                v = d * y
                value = exp2(zero - u * u - v * v)
                store(values, at, value)
                for c in range(colors.shape[0]):
                    p = pixel + c * plane
                    drawn = load_halves(flat, p, p + gap) + broadcast(colors[c, k]) * value
                    store_halves(flat, p, p + gap, drawn)
                y = y + down
                at += LANES
                pixel += advance


@njit(**STRICT)
def differentiate(geometry, colors, splats, boxes, values, residual, grad_geometry, grad_colors):
    """Backward pass of one window: gradients of <residual, picture> from the stored Gaussians.

    Args:
        values: as `draw` left them.
        residual: dL/dpicture, (C, *padded(height, width)), zero in the padding.
        grad_geometry, grad_colors: (5, K) and (C, K), overwritten up to `splats`.

    With w = value * sum_c colour_c residual_c and its moments about the mean M0, Mx, ... Myy:
    d/dmx = a^2 Mx + a b My, d/dmy = a b Mx + (b^2 + d^2) My, d/da = -(a Mxx + b Mxy),
    d/db = -(a Mxy + b Myy), d/dd = -d Myy, d/dcolour_c = sum value * residual_c.
    """
    flat = residual.reshape(-1)
    channels = colors.shape[0]
    stride, plane = residual.shape[2], residual.shape[1] * residual.shape[2]
    zero = broadcast(F(0))
    sums = np.empty(HALF, np.float32)
    at = 0
    for k in range(splats):
        rows, columns = boxes[1, k], boxes[3, k]
        if rows == 0 or columns == 0:
            grad_geometry[:, k] = F(0)
            grad_colors[:, k] = F(0)
            continue
        segments, vectors, table, height, gap, advance = _layout(rows, columns, stride)
        left = F(boxes[2, k]) - geometry[0, k]
        down = broadcast(height)
        start = boxes[0, k] * stride + boxes[2, k]
        begin = at
        m_x, m_y, m_xx, m_xy, m_yy = zero, zero, zero, zero, zero
        red, green, blue = zero, zero, zero
        for segment in range(segments):
            x = load(_LANES_XY, table) + broadcast(left + F(segment * LANES))
            y = load(_LANES_XY, table + LANES) + broadcast(F(boxes[0, k]) - geometry[1, k])
            pixel = start + segment * LANES
            column, column_y = zero, zero  # sums of w and w y down the segment: x is the same all the way
            if channels == 1:
                for _ in range(vectors):
                    w = load(values, at) * load_halves(flat, pixel, pixel + gap)
                    column = column + w
                    w_y = w * y
                    column_y = column_y + w_y
                    m_yy = m_yy + w_y * y
                    y = y + down
                    at += LANES
                    pixel += advance
                red = red + column
            else:
                c0, c1, c2 = broadcast(colors[0, k]), broadcast(colors[1, k]), broadcast(colors[2, k])
                for _ in range(vectors):
                    value = load(values, at)
                    p1, p2 = pixel + plane, pixel + 2 * plane
                    r0 = load_halves(flat, pixel, pixel + gap)
                    r1 = load_halves(flat, p1, p1 + gap)
                    r2 = load_halves(flat, p2, p2 + gap)
                    red = red + value * r0
                    green = green + value * r1
                    blue = blue + value * r2
                    mixed = c0 * r0 + c1 * r1 + c2 * r2
                    for c in range(3, channels):
                        p = pixel + c * plane
                        mixed = mixed + broadcast(colors[c, k]) * load_halves(flat, p, p + gap)
                    w = value * mixed
                    column = column + w
                    w_y = w * y
                    column_y = column_y + w_y
                    m_yy = m_yy + w_y * y
                    y = y + down
                    at += LANES
                    pixel += advance
            w_x = column * x
            m_x = m_x + w_x
            m_y = m_y + column_y
            m_xx = m_xx + w_x * x
            m_xy = m_xy + column_y * x
        store_totals(sums, m_x, m_y, m_xx, m_xy, m_yy, red, green, blue)
        scale = colors[0, k] if channels == 1 else F(1)  # of the moments: w was left without its colour
        a, b, d = geometry[2, k], geometry[3, k], geometry[4, k]
        grad_geometry[0, k] = scale * a * (a * sums[0] + b * sums[1])
        grad_geometry[1, k] = scale * (a * b * sums[0] + (b * b + d * d) * sums[1])
        grad_geometry[2, k] = -scale * (a * sums[2] + b * sums[3])
        grad_geometry[3, k] = -scale * (a * sums[3] + b * sums[4])
        grad_geometry[4, k] = -scale * d * sums[4]
        for c in range(min(channels, 3)):
            grad_colors[c, k] = sums[5 + c]
        for c in range(3, channels):
            total = zero
            q = begin
            for segment in range(segments):
                pixel = start + segment * LANES + c * plane
                for _ in range(vectors):
                    total = total + load(values, q) * load_halves(flat, pixel, pixel + gap)
                    q += LANES
                    pixel += advance
            store_totals(sums, total, zero, zero, zero, zero, zero, zero, zero)
            grad_colors[c, k] = sums[0]


@njit(**FAST)
def scratch(splats, channels, height, width):
    """Buffers for a window of up to K splats: boxes, values (grown when needed), picture."""
    rows, columns = padded(height, width)
    return (
        np.empty((4, splats), np.int32),
        np.empty(splats * LANES * 8, np.float32),
        np.empty((channels, rows, columns), np.float32),
    )


@njit(**FAST)
def room_for(values, total):
    """`values`, or a larger buffer if it cannot hold `total` numbers."""
    return values if values.shape[0] >= total else np.empty(total + total // 2, np.float32)
