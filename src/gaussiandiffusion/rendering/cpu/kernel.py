"""The fused CPU kernel: footprint culling, vectorised exp2, all gradients from six moments.

It draws one *window*: a whole small picture, or a tile of a large one (`tiles`). Splats are in pixels of the window
here: rows mx, my, a, b, d of `geometry`, where u = a dx + b dy, v = d dy and the splat's value is
exp(-(u^2 + v^2) / 2), dx and dy counted from the mean; pixel (0, 0) has its centre at (0, 0).

Only the bounding box of the ellipse at `cutoff` sigmas is drawn, rounded outward to whole vectors, so a pixel misses at
most exp(-cutoff^2 / 2) of a splat's colour: 0.0022 at 3.5, and less than float32 resolves at `EXACT`.

A *narrow* box is at most 4 pixels wide, as most are in a small picture; a vector then covers some rows of 4. A *wide*
one is drawn in segments of LANES columns, a vector to a row. Splats whose boxes have the same shape are drawn after one
another, since a short loop costs a few times its work whenever its length was guessed wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.simd import (
    LANES,
    QUAD,
    SHIFT,
    STRICT,
    TOTALS,
    Array,
    Value,
    emitted,
    exp2,
    loop,
    totals,
    vector,
    when,
)

COLUMNS = 5  # of the geometry: mx, my, a, b, d
EXACT = 7.0  # sigmas: exp(-cutoff^2 / 2) < 2^-35; gradients, which multiply it by squared sigmas, lack nothing either
FAR = 1e9  # pixels; beyond it, pixel numbers would leave int32
TALL = LANES // QUAD  # rows of a vector in a narrow box
LEAST = 2 if TALL == 2 else 1  # vectors of a narrow box: few need less, and then lengths differ less

F = np.float32
_SQRT_HALF_LOG2E = 0.8493218002880190  # scales u, v so that exp(-(u^2+v^2)/2) = 2^-(u'^2+v'^2)
_START, _VECTORS, _SEGMENTS, _KIND = range(4)  # rows of `boxes`: see `plan`
_KINDS = 64  # shapes of boxes told apart when they are sorted: 4 numbers of segments, 16 of vectors


@njit(**FAST)
def padded(height, width):
    """Rows and columns of the array that holds a window: whole vectors, into which any box can be moved."""
    return max(LEAST, (height + TALL - 1) // TALL) * TALL, (width + LANES - 1) // LANES * LANES


class Footprints(NamedTuple):
    """Where a window's splats are drawn, and room for what is summed up there.

    Args:
        counts: int64 (3,): how many splats are drawn in narrow boxes, how many are drawn, and how many there are.
        order: int32 (K,): what is drawn, narrow boxes first, boxes of one shape together; and then what is not.
        boxes: int32 (4, K): first pixel, vectors of a segment, segments (0: narrow) and kind of shape (0: not drawn).
        corners: float32 (2, K): x and y of the first pixel as counted from the mean.
        sums: float32 (2 K, 8): moments and colours' gradients.
    """

    counts: np.ndarray
    order: np.ndarray
    boxes: np.ndarray
    corners: np.ndarray
    sums: np.ndarray


@njit(**STRICT)
def plan(geometry, splats, height, width, cutoff, footprints, picture):
    """Find the footprints of the first `splats` splats in a window of `picture`.

    Returns:
        How many numbers their vectors hold.
    """
    order, boxes = footprints.order, footprints.boxes
    rows, columns = picture.shape[1:]
    _measure(geometry, splats, geometry.shape[1], height, width, rows, columns, cutoff, boxes, footprints.corners)
    counts = np.zeros(_KINDS, np.int32)
    total = 0
    for k in range(splats):
        counts[boxes[_KIND, k]] += 1
        total += boxes[_VECTORS, k] * max(boxes[_SEGMENTS, k], 1)
    narrow = 0
    for i in range(1, _KINDS // 4):
        narrow += counts[i]
    footprints.counts[0] = narrow
    footprints.counts[1] = splats - counts[0]
    footprints.counts[2] = splats
    before = 0
    for i in range(1, _KINDS + 1):  # the first kind comes last
        count = counts[i % _KINDS]
        counts[i % _KINDS] = before
        before += count
    for k in range(splats):
        kind = boxes[_KIND, k]
        order[counts[kind]] = k
        counts[kind] += 1
    return total * LANES


@emitted()
def _measure(
    geometry: Array, splats: Value, stride: Value, height: Value, width: Value, rows: Value, columns: Value,
    cutoff: Value, boxes: Array, corners: Array,
) -> None:  # fmt: skip
    """`boxes` and `corners` of `plan`."""
    sigmas = cutoff.spread()
    bottom, right, last_row, last_column = (x.int32().spread() for x in (height - 1, width - 1, rows, columns))

    def step(i: Value) -> None:
        at = i * LANES
        mx, my, a, b, d = (geometry.load(at + stride * j) for j in range(COLUMNS))
        reach = sigmas / (a * d)
        reach_x = reach * (b * b + d * d).sqrt()
        reach_y = reach * a
        bounds = (my - reach_y).ceil(), (my + reach_y).floor(), (mx - reach_x).ceil(), (mx + reach_x).floor()
        top, down, left, over = (x.clip(-FAR, FAR).whole() for x in bounds)
        # Clipped once more as whole numbers, so that not even a NaN leaves the picture.
        top, left = top.clip(0, bottom + 1), left.clip(0, right + 1)
        tall, wide = down.clip(-1, bottom) - top + 1, over.clip(-1, right) - left + 1
        is_narrow = wide <= QUAD
        segments = is_narrow.where(wide.constant(0), (wide + (LANES - 1)) >> SHIFT)
        vectors = is_narrow.where(((tall + (TALL - 1)) >> (TALL.bit_length() - 1)).clip(LEAST, FAR), tall)
        # Vectors that would overhang are moved back into the picture.
        top = (last_row - is_narrow.where(vectors * TALL, vectors)).clip(0, top)
        left = (last_column - is_narrow.where(wide.constant(QUAD), segments * LANES)).clip(0, left)
        kind = vectors.clip(1, 15) + segments.clip(0, 3) * 16
        seen = (tall.clip(0, 1) * wide.clip(0, 1)) > 0
        boxes.store(at + stride * _START, top * last_column + left)
        boxes.store(at + stride * _VECTORS, seen.where(vectors, 0))
        boxes.store(at + stride * _SEGMENTS, segments)
        boxes.store(at + stride * _KIND, seen.where(kind, 0))
        corners.store(at, left.real() - mx)
        corners.store(at + stride, top.real() - my)

    loop((splats + (LANES - 1)) >> SHIFT, step)


@njit(**STRICT)
def draw(geometry, colors, footprints, values, picture):
    """Forward pass of one window: fill `values` with the Gaussians and add them up into `picture`.

    Args:
        geometry: (5, K); colors: (C, K).
        footprints: of `plan`.
        values: as many numbers as it said.
        picture: (C, *padded(height, width)), overwritten.
    """
    channels, rows, columns = picture.shape
    counts, order, boxes, corners, _ = footprints
    _draw(
        geometry, colors, geometry.shape[1], boxes, corners, order, counts[0], counts[1], values, picture, channels,
        rows * columns, columns,
    )  # fmt: skip


class _Splats:
    """What the emitted loops read of splats.

    Args:
        stride: K, from one row of the arrays to the next.
        plane: from one channel of the picture to the next.
        columns: from one row of the picture to the next.
    """

    def __init__(
        self, geometry: Array, colors: Array, stride: Value, boxes: Array, corners: Array, plane: Value, columns: Value
    ) -> None:
        self.geometry, self.colors, self.stride = geometry, colors, stride
        self.boxes, self.corners = boxes, corners
        self.plane, self.columns = plane, columns

    def first_vector(self, k: Value, narrow: bool) -> tuple[Value, Value, Value]:
        """The pixel where splat k's box begins, and x and y of its first vector as counted from the mean."""
        tall, wide = (TALL, QUAD) if narrow else (1, LANES)
        x = self.corners.spread(k) + vector(k, list(range(wide)) * tall)
        y = self.corners.spread(k + self.stride) + vector(k, [row for row in range(tall) for _ in range(wide)])
        return self.boxes.number(k), x, y

    def vectors(self, k: Value) -> Value:
        return self.boxes.number(k + self.stride * _VECTORS)

    def segments(self, k: Value) -> Value:
        return self.boxes.number(k + self.stride * _SEGMENTS)

    def spread(self, k: Value, *rows: int) -> list[Value]:
        """Those rows of the geometry."""
        return [self.geometry.spread(k + self.stride * row) for row in rows]

    def channels(self, k: Value, count: int) -> list[Value]:
        """The first channels of the colour."""
        return [self.colors.spread(k + self.stride * c) for c in range(count)]

    def load(self, picture: Array, pixel: Value, channel: int, narrow: bool) -> Value:
        """A vector of the picture."""
        at = pixel + self.plane * channel
        return picture.load_quads(at, self.columns) if narrow else picture.load(at)

    def store(self, picture: Array, pixel: Value, channel: int, narrow: bool, x: Value) -> None:
        at = pixel + self.plane * channel
        if narrow:
            picture.store_quads(at, self.columns, x)
        else:
            picture.store(at, x)

    def down(self, narrow: bool) -> Value:
        """From a vector to the next of its segment."""
        return self.columns * (TALL if narrow else 1)


@emitted()
def _draw(
    geometry: Array, colors: Array, stride: Value, boxes: Array, corners: Array, order: Array, narrow: Value,
    drawn: Value, values: Array, picture: Array, channels: Value, plane: Value, columns: Value,
) -> None:  # fmt: skip
    """`draw`; emitted for each number of channels and kind of box."""
    zero = vector(plane, 0)
    # The picture is whole vectors, rows being so.
    loop((plane * channels) >> SHIFT, lambda i: picture.store(i * LANES, zero))
    splats = _Splats(geometry, colors, stride, boxes, corners, plane, columns)
    for count in (1, 3, 4):

        def both(count: int = count) -> None:
            (at,) = loop(
                narrow,
                lambda i, at: [_draw_one(splats, order.number(i), at, values, picture, count, True)],
                plane.constant(0),
            )
            loop(
                drawn - narrow,
                lambda i, at: [_draw_one(splats, order.number(i + narrow), at, values, picture, count, False)],
                at,
            )

        when(channels.equals(count), both)


def _draw_one(
    splats: _Splats, k: Value, at: Value, values: Array, picture: Array, channels: int, narrow: bool
) -> Value:
    """Draw splat k, its Gaussian stored from values[at]; returns where the next one's begins."""
    pixel, x, y = splats.first_vector(k, narrow)
    a, b, d = (row * _SQRT_HALF_LOG2E for row in splats.spread(k, 2, 3, 4))
    colors = splats.channels(k, channels)
    vectors = splats.vectors(k)

    def segment(ax: Value, pixel: Value, at: Value) -> Value:
        def step(i: Value, y: Value, pixel: Value, at: Value) -> list[Value]:
            u, v = ax + b * y, d * y
            value = exp2(-(u * u) - v * v)
            values.store(at, value)
            for c, color in enumerate(colors):
                splats.store(picture, pixel, c, narrow, splats.load(picture, pixel, c, narrow) + color * value)
            return [y + (TALL if narrow else 1), pixel + splats.down(narrow), at + LANES]

        return loop(vectors, step, y, pixel, at)[2]

    if narrow:
        return segment(a * x, pixel, at)
    return loop(
        splats.segments(k),
        lambda i, x, pixel, at: [x + LANES, pixel + LANES, segment(a * x, pixel, at)],
        x,
        pixel,
        at,
    )[2]


@njit(**STRICT)
def differentiate(geometry, colors, footprints, values, residual, grad_geometry, grad_colors):
    """Backward pass of one window: gradients of <residual, picture> from the stored Gaussians.

    Args:
        footprints: of `plan`.
        values: as `draw` left them.
        residual: dL/dpicture, (C, *padded(height, width)), zero in the padding.
        grad_geometry, grad_colors: (5, K) and (C, K), overwritten.

    With w = value * sum_c colour_c residual_c and its moments about the mean M0, Mx, ... Myy:
    d/dmx = a^2 Mx + a b My, d/dmy = a b Mx + (b^2 + d^2) My, d/da = -(a Mxx + b Mxy),
    d/db = -(a Mxy + b Myy), d/dd = -d Myy, d/dcolour_c = sum value * residual_c.
    """
    channels, rows, columns = residual.shape
    counts, order, boxes, corners, sums = footprints
    for i in range(counts[1], counts[2]):
        for j in range(TOTALS):
            sums[order[i], j] = F(0)
            sums[order[i] + geometry.shape[1], j] = F(0)
    _differentiate(
        geometry, colors, geometry.shape[1], boxes, corners, order, counts[0], counts[1], values, residual, channels,
        rows * columns, columns, sums, grad_geometry, grad_colors,
    )  # fmt: skip


@emitted()
def _differentiate(
    geometry: Array, colors: Array, stride: Value, boxes: Array, corners: Array, order: Array, narrow: Value,
    drawn: Value, values: Array, residual: Array, channels: Value, plane: Value, columns: Value, sums: Array,
    grad_geometry: Array, grad_colors: Array
) -> None:  # fmt: skip
    """`differentiate`: the sums of each splat, then all gradients from them, a vector of splats at a time."""
    splats = _Splats(geometry, colors, stride, boxes, corners, plane, columns)
    for count in (1, 3, 4):

        def all_of_them(count: int = count) -> None:
            (at,) = loop(
                narrow,
                lambda i, at: [_sum_one(splats, order.number(i), at, values, residual, count, True, sums)],
                plane.constant(0),
            )
            loop(
                drawn - narrow,
                lambda i, at: [_sum_one(splats, order.number(i + narrow), at, values, residual, count, False, sums)],
                at,
            )
            loop(
                stride >> SHIFT,
                lambda i: _gradients(splats, i * LANES, count, sums, grad_geometry, grad_colors),
            )

        when(channels.equals(count), all_of_them)


def _sum_one(
    splats: _Splats, k: Value, at: Value, values: Array, residual: Array, channels: int, narrow: bool, sums: Array
) -> Value:
    """Moments and colours' gradients of splat k, from values[at]; returns where the next one's begin.

    With one channel, moments are left without its colour.
    """
    pixel, x, y0 = splats.first_vector(k, narrow)
    colors = splats.channels(k, channels)
    vectors = splats.vectors(k)
    zero = vector(k, 0)

    def segment(x: Value, pixel: Value, at: Value, *so_far: Value) -> list[Value]:
        def step(
            i: Value, y: Value, pixel: Value, at: Value, w: Value, w_y: Value, w_yy: Value, *by_color: Value
        ) -> list[Value]:
            value = values.load(at)
            residuals = [splats.load(residual, pixel, c, narrow) for c in range(channels)]
            if channels == 1:
                each = value * residuals[0]
            else:
                mixed = colors[0] * residuals[0]
                for color, r in zip(colors[1:], residuals[1:], strict=True):
                    mixed = mixed + color * r
                each = value * mixed
                by_color = tuple(total + value * r for total, r in zip(by_color, residuals, strict=True))
            each_y = each * y
            rest = [y + (TALL if narrow else 1), pixel + splats.down(narrow), at + LANES]
            return [*rest, w + each, w_y + each_y, w_yy + each_y * y, *by_color]

        m_x, m_y, m_xx, m_xy, m_yy, *by_color = so_far
        # x is the same all the way down.
        start = [y0, pixel, at, zero, zero, m_yy, *([] if channels == 1 else by_color)]
        _, _, at, w, w_y, m_yy, *ends = loop(vectors, step, *start)
        by_color = [by_color[0] + w] if channels == 1 else ends
        w_x = w * x
        return [at, m_x + w_x, m_y + w_y, m_xx + w_x * x, m_xy + w_y * x, m_yy, *by_color]

    start = [zero] * (5 + channels)
    if narrow:
        at, *found = segment(x, pixel, at, *start)
    else:
        _, _, at, *found = loop(
            splats.segments(k),
            lambda i, x, pixel, at, *so_far: [x + LANES, pixel + LANES, *segment(x, pixel, at, *so_far)],
            x,
            pixel,
            at,
            *start,
        )
    sums.store(k * TOTALS, totals(found[:TOTALS]))
    if channels > 3:
        sums.store((k + splats.stride) * TOTALS, totals(found[TOTALS:]))
    return at


def _gradients(splats: _Splats, k: Value, channels: int, sums: Array, grad_geometry: Array, grad_colors: Array) -> None:
    """Gradients of splats k, k + 1, ..., a vector of them."""
    m_x, m_y, m_xx, m_xy, m_yy, *by_color = sums.columns(k * TOTALS)
    if channels > 3:
        by_color += sums.columns((k + splats.stride) * TOTALS)
    a, b, d = (splats.geometry.load(k + splats.stride * row) for row in (2, 3, 4))
    found = [
        a * (a * m_x + b * m_y),
        a * b * m_x + (b * b + d * d) * m_y,
        -(a * m_xx + b * m_xy),
        -(a * m_xy + b * m_yy),
        -(d * m_yy),
    ]
    if channels == 1:  # moments were left without the colour
        color = splats.colors.load(k)
        found = [x * color for x in found]
    for row, x in enumerate(found):
        grad_geometry.store(k + splats.stride * row, x)
    for c in range(channels):
        grad_colors.store(k + splats.stride * c, by_color[c])


@njit(**FAST)
def whole_vectors(splats):
    """K rounded up so that a row of K numbers is whole vectors."""
    return (splats + LANES - 1) // LANES * LANES


@njit(**FAST)
def scratch(splats, channels, height, width):
    """Buffers for a window of up to K splats, a multiple of LANES: footprints, values (grown when needed), picture."""
    rows, columns = padded(height, width)
    footprints = Footprints(
        np.zeros(3, np.int64),
        np.empty(splats, np.int32),
        np.empty((4, splats), np.int32),
        np.empty((2, splats), np.float32),
        np.zeros((2 * splats, TOTALS), np.float32),
    )
    return footprints, np.empty(splats * LANES * 8, np.float32), np.empty((channels, rows, columns), np.float32)


@njit(**FAST)
def room_for(values, total):
    """`values`, or a larger buffer if it cannot hold `total` numbers."""
    return values if values.shape[0] >= total else np.empty(total + total // 2, np.float32)
