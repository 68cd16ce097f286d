"""How much of a core's arithmetic the kernel uses: its floating-point rate beside that of a loop of multiply-adds.

Counted from the source are additions, subtractions and multiplications of one lane of the inner loops, grey pictures;
comparisons, integer operations and everything per splat or segment are not, but their time is:

* `kernel.draw`, 23: u = ax + b y (2), v = d y (1), -u^2 - v^2 (4), exp2's rounding (3) and polynomial (10), the colour
  added to the picture (2), the next y (1);
* `kernel.differentiate`, 7: w = value * residual (1), the sums of w, w y and w y^2 (1 + 2 + 2), the next y (1).

A lane is *useful* if its pixel lies on the canvas and inside the splat's ellipse at the cut-off.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numba import njit

from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.accumulate import to_pixels
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.simd import HALF, LANES, STRICT, broadcast, store_totals
from gaussiandiffusion.rendering.cpu.threads import worker_pool
from gaussiandiffusion.splats import Splats

FORWARD, BACKWARD = 23, 7  # operations a lane
CHAINS = (6, 10)  # independent multiply-adds: enough to hide their latency, few enough for 16 or 32 registers
ROUNDS = 1_000_000

F = np.float32


def kernel_share(splats: Splats, cutoff: float, repeats: int) -> dict[str, Any]:
    """Rates of one thread, by its own clock, on grey sets drawn and differentiated in turn, denormals taken for 0.

    There should be many different sets, so that the processor cannot learn the footprints of a few by heart.
    """
    with worker_pool(1) as pool:
        return pool.submit(_kernel_share, splats, cutoff, repeats).result()


def _kernel_share(splats: Splats, cutoff: float, repeats: int) -> dict[str, Any]:
    canvas = splats.canvas
    geometry = to_pixels(splats, canvas).mT.contiguous().numpy()
    colors = splats.colors.mT.contiguous().numpy()
    size = canvas.height, canvas.width
    window = (geometry, colors, *size, F(cutoff))
    lanes = _draw_all(*window, False)
    useful = _inside(geometry, *size, F(cutoff))
    sums = np.empty(HALF, np.float32)
    seconds = median_seconds(
        {
            "few chains": lambda: _six_chains(ROUNDS, sums),
            "many chains": lambda: _ten_chains(ROUNDS, sums),
            "forward": lambda: _draw_all(*window, False),
            "both": lambda: _draw_all(*window, True),
        },
        repeats,
        time.thread_time,
    )
    rates = [
        2 * LANES * n * ROUNDS / seconds[name] for n, name in zip(CHAINS, ("few chains", "many chains"), strict=True)
    ]
    peak = max(rates)
    record: dict[str, Any] = {
        "sets": len(splats), "num_splats": splats.num_splats, "size": size, "cutoff": cutoff, "peak_gflops": peak / 1e9,
        "lanes_per_splat": lanes / geometry.shape[0] / splats.num_splats, "useful_lanes": useful / lanes,
    }  # fmt: skip
    for name, operations in (("forward", FORWARD), ("both", FORWARD + BACKWARD)):
        rate = operations * lanes / seconds[name]
        record[name] = {
            "operations_per_lane": operations,
            "microseconds_per_set": 1e6 * seconds[name] / len(splats),
            "nanoseconds_per_splat": 1e9 * seconds[name] / len(splats) / splats.num_splats,
            "gflops": rate / 1e9,
            "share": rate / peak,
            "useful_share": rate / peak * useful / lanes,
        }
    return record


@njit(**STRICT)
def _six_chains(rounds, sums):
    factor, term = broadcast(F(0.999)), broadcast(F(1e-3))
    a, b, c, d, e, f = term, factor, term, factor, term, factor
    for _ in range(rounds):
        a = a * factor + term
        b = b * factor + term
        c = c * factor + term
        d = d * factor + term
        e = e * factor + term
        f = f * factor + term
    store_totals(sums, a, b, c, d, e, f, term, term)


@njit(**STRICT)
def _ten_chains(rounds, sums):
    factor, term = broadcast(F(0.999)), broadcast(F(1e-3))
    a, b, c, d, e, f, g, h, i, j = term, factor, term, factor, term, factor, term, factor, term, factor
    for _ in range(rounds):
        a = a * factor + term
        b = b * factor + term
        c = c * factor + term
        d = d * factor + term
        e = e * factor + term
        f = f * factor + term
        g = g * factor + term
        h = h * factor + term
        i = i * factor + term
        j = j * factor + term
    store_totals(sums, a, b, c, d, e, f, g + h, i + j)


@njit(**FAST)
def _draw_all(geometry, colors, height, width, cutoff, backward):
    """Draw every set and, if `backward`, differentiate half the sum of its squared pixels; returns the lanes drawn."""
    splats = geometry.shape[2]
    boxes, values, picture = kernel.scratch(splats, colors.shape[1], height, width)
    grad_geometry, grad_colors = np.empty_like(geometry[0]), np.empty_like(colors[0])
    lanes = 0
    for i in range(geometry.shape[0]):
        total = kernel.plan(geometry[i], splats, height, width, cutoff, boxes)
        values = kernel.room_for(values, total)
        kernel.draw(geometry[i], colors[i], splats, boxes, values, picture)
        if backward:
            kernel.differentiate(geometry[i], colors[i], splats, boxes, values, picture, grad_geometry, grad_colors)
        lanes += total
    return lanes


@njit(**FAST)
def _inside(geometry, height, width, cutoff):
    """Pairs of a splat and a pixel of the canvas inside its ellipse at `cutoff` sigmas."""
    count = 0
    for i in range(geometry.shape[0]):
        for k in range(geometry.shape[2]):
            for y in range(height):
                dy = F(y) - geometry[i, 1, k]
                v = geometry[i, 4, k] * dy
                for x in range(width):
                    u = geometry[i, 2, k] * (F(x) - geometry[i, 0, k]) + geometry[i, 3, k] * dy
                    count += u * u + v * v <= cutoff * cutoff
    return count
