"""The fused CPU kernel: footprint culling, vectorised exp2, all gradients from six moments.

It draws one *window*: a whole small picture, or a tile of a large one (`tiles`). Splats are in pixels of the window
here: rows mx, my, a, b, d of `geometry`, where u = a dx + b dy, v = d dy and the splat's value is
exp(-(u^2 + v^2) / 2), dx and dy counted from the mean; pixel (0, 0) has its centre at (0, 0). Where each is drawn is
found by `footprints.plan` before. Rows over the splats are whole vectors.

Channels are drawn three together, and what is left by itself: one of grey pictures, the last of RGBA.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gaussiandiffusion.rendering.cpu.emission import emitted, loop, when
from gaussiandiffusion.rendering.cpu.footprints import (
    COLUMNS,
    NARROW,
    SEGMENTS,
    TALL,
    VECTORS,
    WIDE,
)
from gaussiandiffusion.rendering.cpu.simd import LANES, QUAD, SHIFT, Array, Value, vector
from gaussiandiffusion.rendering.cpu.vectors import TOTALS, exp2, table_columns, totals

_SQRT_HALF_LOG2E = 0.8493218002880190  # scales u, v so that exp(-(u^2+v^2)/2) = 2^-(u'^2+v'^2)


@emitted
def draw(geometry: Array, colors: Array, scratch: Any) -> None:
    """Forward pass of one window: add the splats up into `scratch.picture`, and keep the Gaussians in `values`.

    Args:
        geometry: (5, K); colors: (C, K).
        scratch: planned for them; its picture is overwritten.
    """
    picture = scratch.picture
    channels, rows, columns = picture.shape
    zero = vector(rows, 0)
    loop((channels * rows * columns) >> SHIFT, lambda i: picture.store(i * LANES, zero))
    for group in _groups(geometry, colors, scratch):
        group.run(partial(group.each_splat, _draw))


@emitted
def differentiate(geometry: Array, colors: Array, scratch: Any, gradient: Array) -> None:
    """Backward pass of one window: gradients of <residual, picture>.

    Args:
        scratch: as `draw` left it, but its picture is the residual dL/dpicture now, zero in the padding.
        gradient: (5 + C, K), overwritten with those of geometry and colours.

    With w = value * sum_c colour_c residual_c and its moments about the mean M0, Mx, ... Myy:
    d/dmx = a^2 Mx + a b My, d/dmy = a b Mx + (b^2 + d^2) My, d/da = -(a Mxx + b Mxy),
    d/db = -(a Mxy + b Myy), d/dd = -d Myy, d/dcolour_c = sum value * residual_c.
    """
    sums, nothing = scratch.sums, vector(geometry.shape[1], 0)
    loop((geometry.shape[1] * TOTALS) >> SHIFT, lambda i: sums.store(i * LANES, nothing))
    for group in _groups(geometry, colors, scratch):

        def body(group: _Group = group) -> None:
            group.each_splat(_sum)
            loop(group.stride >> SHIFT, lambda i: _gradients(group, i * LANES, gradient))

        group.run(body)


class _Group:
    """Some channels of a window, and what loops over its splats read of these.

    Args:
        first: channel; `channels` are together.
    """

    def __init__(self, geometry: Array, colors: Array, scratch: Any, first: Value, channels: int) -> None:
        self.geometry, self.all_colors, self.scratch, self.channels = geometry, colors, scratch, channels
        self.first = first
        self.stride = geometry.shape[1]  # from one row over the splats to the next
        _, rows, self.columns = scratch.picture.shape
        self.plane = rows * self.columns

    def run(self, body: Callable[[], None]) -> None:
        """Run `body` if the window has such a group."""
        all_channels = self.all_colors.shape[0]
        when(all_channels > 2 if self.channels == 3 else self.first.equals(0) | self.first.equals(3), body)

    def each_splat(self, body: Callable[[_Group, Value, Value, bool], Value]) -> None:
        """`body(group, k, at, narrow)` for every splat k that is drawn; it returns where the next one's values are."""
        order, counts, at = self.scratch.order, self.scratch.counts, self.stride.constant(0)
        for row, narrow in ((NARROW, True), (WIDE, False)):
            step = lambda i, at, r=row, n=narrow: [body(self, order.number(self.stride * r + i), at, n)]  # noqa: E731
            (at,) = loop(counts.number(self.stride.constant(row)), step, at)

    def colors(self, k: Value) -> list[Value]:
        return [self.all_colors.spread(k + self.stride * (self.first + c)) for c in range(self.channels)]


def _groups(geometry: Array, colors: Array, scratch: Any) -> list[_Group]:
    """Three channels together, and the one that is left."""
    channels = colors.shape[0]
    return [
        _Group(geometry, colors, scratch, channels.constant(0), 3), _Group(geometry, colors, scratch, channels - 1, 1)
    ]  # fmt: skip


class _Box:
    """A splat's box in the channels of a group: how its vectors are laid out and found.

    Args:
        k: the splat.
        narrow: see `footprints`.
    """

    def __init__(self, group: _Group, k: Value, narrow: bool) -> None:
        scratch, stride = group.scratch, group.stride
        self.group, self.narrow = group, narrow
        self.tall, self.wide = (TALL, QUAD) if narrow else (1, LANES)
        self.pixel = scratch.boxes.number(k) + group.plane * group.first
        self.vectors = scratch.boxes.number(k + stride * VECTORS)
        self.segments = None if narrow else scratch.boxes.number(k + stride * SEGMENTS)
        # Of the first vector, as counted from the mean.
        self.x = scratch.corners.spread(k) + vector(k, [*range(self.wide)] * self.tall)
        self.y = scratch.corners.spread(k + stride) + vector(k, [i // self.wide for i in range(LANES)])

    def load(self, pixel: Value, channel: int) -> Value:
        """A vector of the picture."""
        at, picture = pixel + self.group.plane * channel, self.group.scratch.picture
        return picture.load_quads(at, self.group.columns) if self.narrow else picture.load(at)

    def store(self, pixel: Value, channel: int, x: Value) -> None:
        """Inverse of `load`."""
        at, picture = pixel + self.group.plane * channel, self.group.scratch.picture
        if self.narrow:
            picture.store_quads(at, self.group.columns, x)
        else:
            picture.store(at, x)

    def each_segment(self, body: Callable[..., list[Value]], *carried: Value) -> list[Value]:
        """`body(x, pixel, *carried)` for every segment."""
        if self.segments is None:
            return body(self.x, self.pixel, *carried)
        step = lambda i, x, pixel, *rest: [x + LANES, pixel + LANES, *body(x, pixel, *rest)]  # noqa: E731 (shorthand)
        return loop(self.segments, step, self.x, self.pixel, *carried)[2:]

    def each_vector(self, pixel: Value, body: Callable[..., list[Value]], *carried: Value) -> list[Value]:
        """`body(y, pixel, *carried)` for every vector of a segment."""
        down = self.group.columns * self.tall
        step = lambda i, y, pixel, *rest: [y + self.tall, pixel + down, *body(y, pixel, *rest)]  # noqa: E731 (shorthand)
        return loop(self.vectors, step, self.y, pixel, *carried)[2:]


def _draw(group: _Group, k: Value, at: Value, narrow: bool) -> Value:
    """Add splat k to the picture, its Gaussian kept from values[at]; returns where the next one's is."""
    box, colors, values = _Box(group, k, narrow), group.colors(k), group.scratch.values
    a, b, d = (group.geometry.spread(k + group.stride * row) * _SQRT_HALF_LOG2E for row in (2, 3, 4))

    def segment(x: Value, pixel: Value, at: Value) -> list[Value]:
        ax = a * x

        def step(y: Value, pixel: Value, at: Value) -> list[Value]:
            u, v = ax + b * y, d * y
            value = exp2(-(u * u) - v * v)
            values.store(at, value)
            for c, color in enumerate(colors):
                box.store(pixel, c, box.load(pixel, c) + color * value)
            return [at + LANES]

        return box.each_vector(pixel, step, at)

    return box.each_segment(segment, at)[0]


def _sum(group: _Group, k: Value, at: Value, narrow: bool) -> Value:
    """Moments and colours' gradients of splat k, to `sums`; as `_draw`.

    With one channel, moments are left without its colour.
    """
    box, colors, values = _Box(group, k, narrow), group.colors(k), group.scratch.values
    zero, one = vector(k, 0), group.channels == 1

    def segment(x: Value, pixel: Value, at: Value, *so_far: Value) -> list[Value]:
        m_x, m_y, m_xx, m_xy, m_yy, *by_color = so_far

        def step(y: Value, pixel: Value, at: Value, *so_far: Value) -> list[Value]:
            m_yy, w_sum, w_y_sum, *by_color = so_far
            value = values.load(at)
            residuals = [box.load(pixel, c) for c in range(group.channels)]
            mixed = residuals[0] if one else residuals[0] * colors[0]
            for color, residual in zip(colors[1:], residuals[1:], strict=True):
                mixed = mixed + color * residual
            w = value * mixed
            w_y = w * y
            lit = [] if one else [total + value * r for total, r in zip(by_color, residuals, strict=True)]
            return [at + LANES, m_yy + w_y * y, w_sum + w, w_y_sum + w_y, *lit]

        # x is the same all the way down.
        start = [at, m_yy, zero, zero, *([] if one else by_color)]
        at, m_yy, w, w_y, *lit = box.each_vector(pixel, step, *start)
        w_x = w * x
        moments = [at, m_x + w_x, m_y + w_y, m_xx + w_x * x, m_xy + w_y * x, m_yy]
        return moments + ([by_color[0] + w] if one else lit)

    at, *found = box.each_segment(segment, at, *[zero] * (5 + group.channels))
    group.scratch.sums.store(k * TOTALS, totals(found))
    return at


def _gradients(group: _Group, k: Value, gradient: Array) -> None:
    """Gradients of splats k, k + 1, ..., a vector of them, from their sums."""
    m_x, m_y, m_xx, m_xy, m_yy, *by_color = table_columns(group.scratch.sums, k)
    a, b, d = (group.geometry.load(k + group.stride * row) for row in (2, 3, 4))
    found = [
        a * (a * m_x + b * m_y),
        a * b * m_x + (b * b + d * d) * m_y,
        -(a * m_xx + b * m_xy),
        -(a * m_xy + b * m_yy),
        -(d * m_yy),
    ]
    if group.channels == 1:
        color = group.all_colors.load(k + group.stride * group.first)
        found = [x * color for x in found]
    for row, x in enumerate(found):
        at = k + group.stride * row
        gradient.store(at, x + (group.first > 0).where(gradient.load(at), 0))  # what channels before have left there
    for c in range(group.channels):
        gradient.store(k + group.stride * (group.first + (COLUMNS + c)), by_color[c])
