"""Medians of time, the sides of a comparison in turn so that what disturbs one disturbs all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import torch

Key = TypeVar("Key", bound=Hashable)


def median_seconds(
    works: Mapping[Key, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[], object] = lambda: None,
    warm: int = 1,
) -> dict[Key, float]:
    """Median seconds of each work over `repeats` rounds, after some that are not counted (they compile and warm).

    Args:
        clock: wall-clock; or the thread's or the process's own, which leave out what others do with the cores.
        progress: called after each work of each round, the first included.
        warm: rounds that are not counted.
    """
    times: dict[Key, list[float]] = {name: [] for name in works}
    for i in range(repeats + warm):
        for name, work in works.items():
            started = clock()
            work()
            if i >= warm:
                times[name].append(clock() - started)
            progress()
    return {name: statistics.median(values) for name, values in times.items()}


def synchronise(device: torch.device) -> None:
    """Wait for what `device` has been asked to do; CPUs are never behind."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
