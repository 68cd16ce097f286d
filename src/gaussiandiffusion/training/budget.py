"""Budgets of time: how many steps fit into so many minutes of this machine, found out once and then fixed.

A training that stopped by the clock could not be repeated, nor could its learning rate know where it ends. So some
steps are timed before the training begins, and their number is what the budget buys from then on, however busy the
machine becomes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

WARM = 5  # steps that compile and fill caches
TIMED = 20


def median_seconds(step: Callable[[], object], warm: int = WARM, timed: int = TIMED) -> float:
    """Median wall-clock of a step, after some that are not counted."""
    seconds = []
    for i in range(warm + timed):
        started = time.perf_counter()
        step()
        if i >= warm:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def steps_within(minutes: float, seconds_per_step: float) -> int:
    """Whole steps that a budget holds; at least one."""
    return max(1, int(60 * minutes / seconds_per_step))
