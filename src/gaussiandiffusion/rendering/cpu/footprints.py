"""Where the kernel draws each splat: its box in whole vectors, and the order in which boxes are drawn.

Only the bounding box of the ellipse at `cutoff` sigmas is drawn, rounded outward to whole vectors, so a pixel misses at
most exp(-cutoff^2 / 2) of a splat's colour: 0.0022 at 3.5, and less than float32 resolves at `EXACT`.

A *narrow* box is at most 4 pixels wide, as most are in a small picture; a vector then covers some rows of 4. A *wide*
one is drawn in segments of LANES columns, a vector to a row. Narrow boxes are drawn first, then wide ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.emission import emitted, loop
from gaussiandiffusion.rendering.cpu.simd import LANES, QUAD, SHIFT, Array, Value
from gaussiandiffusion.rendering.cpu.vectors import TOTALS

COLUMNS = 5  # of the geometry: mx, my, a, b, d
EXACT = 7.0  # sigmas: exp(-cutoff^2 / 2) < 2^-35; gradients, which multiply it by squared sigmas, lack nothing either
FAR = 1e9  # pixels; beyond it, pixel numbers would leave int32
TALL = LANES // QUAD  # rows of a vector in a narrow box
LEAST = 4 // TALL  # vectors of a narrow box: few need less, and then lengths differ less

START, VECTORS, SEGMENTS = range(3)  # rows of `boxes`
NARROW, WIDE, TOTAL = range(3)  # of `counts`
_USUAL = 64  # vectors of a box


class Scratch(NamedTuple):
    """Where a window's splats are drawn, and what is worked on there.

    Args:
        picture: float32 (C, rows, columns): the window in whole vectors, into which any box can be moved.
        boxes: int32 (3, K): first pixel, vectors of a segment (0: not drawn) and segments (0: narrow).
        corners: float32 (2, K): x and y of the first pixel as counted from the mean.
        order: int32 (2, K): the splats that are drawn in narrow boxes, and those in wide ones.
        counts: int32 (3,): how many these are, and how many vectors their boxes have.
        values: float32: the Gaussians in the vectors of all boxes, one after another.
        sums: float32 (K, 8): moments and colours' gradients.
    """

    picture: np.ndarray
    boxes: np.ndarray
    corners: np.ndarray
    order: np.ndarray
    counts: np.ndarray
    values: np.ndarray
    sums: np.ndarray


def scratch(splats: int, size: Sequence[int], vectors: int = 0) -> Scratch:
    """For windows of up to K splats and a size (C, H, W), whose boxes have some vectors (0: what is usual)."""
    channels, height, width = size
    room = whole_vectors(splats)
    rows, columns = max(LEAST * TALL, -(-height // TALL) * TALL), whole_vectors(width)
    usual = min(_USUAL, rows * columns // LANES)  # no box has more than all of the picture
    return Scratch(
        picture=np.zeros((channels, rows, columns), np.float32),
        boxes=np.zeros((3, room), np.int32),
        corners=np.zeros((2, room), np.float32),
        order=np.zeros((2, room), np.int32),
        counts=np.zeros(3, np.int32),
        values=np.empty(LANES * (vectors or room * usual), np.float32),
        sums=np.zeros((room, TOTALS), np.float32),
    )


def whole_vectors(numbers: int) -> int:
    """Rounded up to whole vectors."""
    return -(-numbers // LANES) * LANES


@emitted
def plan(geometry: Array, splats: Value, height: Value, width: Value, cutoff: Value, scratch: Any) -> None:
    """Find the footprints of the first `splats` splats of a window: boxes, corners, order and counts of `scratch`.

    Where their vectors are more than `values` has room for, see `lacks_room`, they must not be drawn.
    """
    _measure(geometry, splats, height, width, cutoff, scratch)
    boxes, order, stride = scratch.boxes, scratch.order, geometry.shape[1]

    def place(k: Value, narrow: Value, wide: Value, total: Value) -> list[Value]:
        vectors, segments = boxes.number(k + stride * VECTORS), boxes.number(k + stride * SEGMENTS)
        # A splat is put at the end of both lists and stays where the list grows: no branch that could be guessed wrong.
        order.store(narrow, k)
        order.store(stride + wide, k)
        seen, has_segments = vectors.clip(0, 1), segments.clip(0, 1)
        in_wide = seen * has_segments
        return [narrow + seen - in_wide, wide + in_wide, total + vectors * segments.clip(1, 2**20)]

    counts = loop(splats, place, *[splats.constant(0)] * 3)
    for i, count in enumerate(counts):
        scratch.counts.store(count.constant(i), count)


@jit
def lacks_room(scratch):
    """Whether `values` is too small for what was planned."""
    return scratch.counts[TOTAL] * LANES > scratch.values.shape[0]


def _measure(geometry: Array, splats: Value, height: Value, width: Value, cutoff: Value, scratch: Any) -> None:
    """`boxes` and `corners`, a vector of splats at a time."""
    stride = geometry.shape[1]
    rows, columns = scratch.picture.shape[1:]
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
        narrow = wide <= QUAD
        segments = narrow.where((wide + (LANES - 1)) * 0, (wide + (LANES - 1)) >> SHIFT)
        vectors = narrow.where(((tall + (TALL - 1)) >> (TALL.bit_length() - 1)).clip(LEAST, FAR), tall)
        # Vectors that would overhang are moved back into the picture.
        top = (last_row - narrow.where(vectors * TALL, vectors)).clip(0, top)
        left = (last_column - narrow.where(wide.constant(QUAD), segments * LANES)).clip(0, left)
        seen = (tall.clip(0, 1) * wide.clip(0, 1)) > 0
        scratch.boxes.store(at + stride * START, top * last_column + left)
        scratch.boxes.store(at + stride * VECTORS, seen.where(vectors, 0))
        scratch.boxes.store(at + stride * SEGMENTS, segments)
        scratch.corners.store(at, left.real() - mx)
        scratch.corners.store(at + stride, top.real() - my)

    loop((splats + (LANES - 1)) >> SHIFT, step)
