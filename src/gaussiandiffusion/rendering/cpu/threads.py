"""Threads for compiled work, which releases the GIL."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

from gaussiandiffusion.ground.threads import thread_count

PARTS = 4  # of the work for each thread: whoever has a busy core, or the costlier parts, does fewer


def worker_pool(threads: int | None = None) -> ThreadPoolExecutor:
    """A pool of that many threads (default: `thread_count()`) that take denormal numbers for 0.

    Dark pixels and unlit splats are full of denormals, and a processor takes a hundred times as long over one. Work
    goes through a pool even where one thread does it, so that its result does not depend on how many there are.
    """
    return ThreadPoolExecutor(threads or thread_count(), initializer=_flush_denormals)


def in_threads(work: Callable[[int, int], None], count: int, least: int = 1) -> None:
    """Run `work(start, stop)` over [0, count), cut into equal parts that as many threads as are worth it take in turn.

    Args:
        least: of the count, what is worth a further thread: a new one may wait for the idle ones of torch, which keep
            their cores for milliseconds.
    """
    threads = max(1, min(thread_count(), count // least))
    parts = 1 if threads == 1 else min(count, PARTS * threads)
    bounds = [math.ceil(count * i / parts) for i in range(parts + 1)]
    with worker_pool(threads) as pool:
        for done in [pool.submit(work, *pair) for pair in pairwise(bounds)]:
            done.result()


def _flush_denormals() -> None:
    torch.set_flush_denormal(True)
