"""Threads beside each other, each computing alone.

Most products here are too small to share: threads that split one wait for each other, and on a machine with other work
for the slowest. Whole pieces of work beside each other share nothing, and since no sum is ever split, their numbers do
not depend on how many threads there are.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch

from gaussiandiffusion.ground.provenance import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

CGROUPS = Path("/sys/fs/cgroup")
AHEAD = 2  # results a thread may be ahead of their use


def thread_count() -> int:
    """Threads that are worth starting: PyTorch's number (OMP_NUM_THREADS, `torch.set_num_threads`) where this process
    may use so many processors, fewer where it may not.
    """
    return max(1, math.ceil(min(torch.get_num_threads(), cores(), _quota(CGROUPS))))


def _quota(root: Path) -> float:
    """Processors' worth of time that a container (cgroup) leaves this process; infinite where it sets no limit."""
    for path in (root / "cpu.max", root / "cpu" / "cpu.cfs_quota_us"):
        try:
            quota, *period = path.read_text().split()
            every = period[0] if period else (path.parent / "cpu.cfs_period_us").read_text()
            if quota not in ("max", "-1"):
                return float(quota) / float(every)
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return math.inf


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """The results of `work` on each item, in order.

    Items are taken as threads become free, a few ahead of the results' use. An error is raised where its result is due;
    then, and when the caller stops asking, what has not begun is left undone.

    Args:
        work: is given an item in a thread in which PyTorch computes alone.
        threads: default: `thread_count()`.
    """
    threads = thread_count() if threads is None else threads
    with _alone() as initializer, ThreadPoolExecutor(threads, "work", initializer) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > AHEAD * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def step_by_step(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in a thread in which PyTorch computes alone, as `side_by_side` would make it."""
    while True:
        with _alone() as initializer, ThreadPoolExecutor(1, "step", initializer) as pool:
            item = pool.submit(next, items, _END).result()
        if item is _END:
            return
        yield item  # type: ignore[misc]  # no end


_END = object()
_lock = threading.Lock()
_nested, _before = 0, 1


@contextmanager
def _alone() -> Iterator[Callable[[], None]]:
    """What makes PyTorch compute alone in a new thread.

    Half of PyTorch's setting belongs to a thread, the other half to the process; so whoever comes last puts it back.
    """
    global _nested, _before
    with _lock:
        if _nested == 0:
            _before = torch.get_num_threads()
        _nested += 1
    try:
        yield lambda: torch.set_num_threads(1)
    finally:
        with _lock:
            _nested -= 1
            if _nested == 0:
                torch.set_num_threads(_before)
