"""How much of a core's arithmetic the kernel uses: its floating-point rate beside that of a loop of multiply-adds.

Counted from the source are additions, subtractions and multiplications of one lane of the inner loops, grey pictures;
comparisons, integer operations and everything per splat or segment are not, but their time is:

* `kernel.draw`, 21: u = ax + b y (2), v = d y (1), -u^2 - v^2 (4), exp2's remainder (1) and polynomial (10), the colour
  added to the picture (2), the next y (1);
* `kernel.differentiate`, 7: w = value * residual (1), the sums of w, w y and w y^2 (1 + 2 + 2), the next y (1).

A lane is *useful* if its pixel lies on the canvas and inside the splat's ellipse at the cut-off.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.nn.functional import pad

from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.rendering.cpu import kernel
from gaussiandiffusion.rendering.cpu.accumulate import to_pixels
from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.emission import emitted, loop, when
from gaussiandiffusion.rendering.cpu.footprints import COLUMNS, TOTAL, plan, scratch
from gaussiandiffusion.rendering.cpu.simd import LANES, Array, Value, vector
from gaussiandiffusion.rendering.cpu.threads import worker_pool
from gaussiandiffusion.rendering.cpu.vectors import TOTALS, totals
from gaussiandiffusion.splats import Splats

FORWARD, BACKWARD = 21, 7  # operations a lane
CHAINS = (6, 10)  # independent multiply-adds: enough to hide their latency, few enough for 16 or 32 registers
ROUNDS = 1_000_000

F = np.float32


class Window(NamedTuple):
    """How many splats are drawn on how many pixels, cut off at how many sigmas."""

    splats: int
    height: int
    width: int
    cutoff: float


def kernel_share(splats: Splats, cutoff: float, repeats: int) -> dict[str, Any]:
    """Rates of one thread, by its own clock, on grey sets drawn and differentiated in turn, denormals taken for 0.

    There should be many different sets, so that the processor cannot learn the footprints of a few by heart.
    """
    with worker_pool(1) as pool:
        return pool.submit(_kernel_share, splats, cutoff, repeats).result()


def _kernel_share(splats: Splats, cutoff: float, repeats: int) -> dict[str, Any]:
    canvas = splats.canvas
    geometry, colors = (_rows(x) for x in (to_pixels(splats, canvas), splats.colors))
    size = canvas.height, canvas.width
    sets = geometry, colors, Window(splats.num_splats, *size, cutoff)
    lanes = _draw_all(*sets, False)
    useful = _inside(geometry, splats.num_splats, *size, F(cutoff))
    sums = np.empty(TOTALS, np.float32)
    seconds = median_seconds(
        {
            "few chains": lambda: _multiply_add(CHAINS[0], ROUNDS, sums),
            "many chains": lambda: _multiply_add(CHAINS[1], ROUNDS, sums),
            "forward": lambda: _draw_all(*sets, False),
            "both": lambda: _draw_all(*sets, True),
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


def _rows(tensor: Tensor) -> np.ndarray:
    """(N, K, F) to contiguous (N, F, K padded to whole vectors)."""
    return pad(tensor.mT, (0, -tensor.shape[1] % LANES)).contiguous().numpy()


@jit
def _multiply_add(chains, rounds, sums):
    _chains(rounds, chains, sums)


@emitted
def _chains(rounds: Value, chains: Value, sums: Array) -> None:
    """`rounds` multiply-adds in each of some independent chains."""
    factor, term = vector(rounds, 0.999), vector(rounds, 1e-3)
    for count in CHAINS:

        def run(count: int = count) -> None:
            ends = loop(rounds, lambda i, *chain: [x * factor + term for x in chain], *[term, factor] * (count // 2))
            sums.store(rounds.constant(0), totals([sum(ends[1:], ends[0])]))

        when(chains.equals(count), run)


def _draw_all(geometry: np.ndarray, colors: np.ndarray, window: Window, backward: bool) -> int:
    """Draw every set and, if `backward`, differentiate half the sum of its squared pixels; returns the lanes drawn."""
    splats, height, width, cutoff = window
    channels, room = colors.shape[1], colors.shape[2]
    work = scratch(splats, (channels, height, width), vectors=height * width * splats // LANES)
    gradient = np.zeros((COLUMNS + channels, room), np.float32)
    return LANES * _draw_range(geometry, colors, splats, height, width, F(cutoff), work, gradient, backward)


@jit
def _draw_range(geometry, colors, splats, height, width, cutoff, work, gradient, backward):
    """Vectors that `_draw_all` draws."""
    vectors = 0
    for i in range(geometry.shape[0]):
        plan(geometry[i], splats, height, width, cutoff, work)
        kernel.draw(geometry[i], colors[i], work)
        if backward:
            kernel.differentiate(geometry[i], colors[i], work, gradient)
        vectors += work.counts[TOTAL]
    return vectors


@jit
def _inside(geometry, splats, height, width, cutoff):
    """Pairs of a splat and a pixel of the canvas inside its ellipse at `cutoff` sigmas."""
    count = 0
    for i in range(geometry.shape[0]):
        for k in range(splats):
            for y in range(height):
                dy = F(y) - geometry[i, 1, k]
                v = geometry[i, 4, k] * dy
                for x in range(width):
                    u = geometry[i, 2, k] * (F(x) - geometry[i, 0, k]) + geometry[i, 3, k] * dy
                    count += u * u + v * v <= cutoff * cutoff
    return count
