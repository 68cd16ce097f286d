"""Medians of wall-clock, the sides of a comparison in turn so that what disturbs one disturbs all."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping

import torch


def median_seconds(
    works: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each work over `repeats` rounds after one that is not counted (it compiles and warms).

    Args:
        clock: wall-clock; or the thread's or the process's own, which leave out what others do with the cores.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for i in range(repeats + 1):
        for name, work in works.items():
            started = clock()
            work()
            if i:
                times[name].append(clock() - started)
    return {name: statistics.median(values) for name, values in times.items()}


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """torch and the kernel on one thread: for processor time, in which waiting threads, which spin, would count."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
