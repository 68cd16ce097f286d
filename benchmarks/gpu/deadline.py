"""Time that a section may take: asked for between measurements, and enforced where one of them does not end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeUp(BaseException):
    """A section took longer than it may; no library catches this by mistake."""


class Deadline:
    """A moment.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.until = time.perf_counter() + seconds

    @property
    def left(self) -> float:
        """Seconds, at least 0."""
        return max(0.0, self.until - time.perf_counter())

    @property
    def over(self) -> bool:
        return self.left == 0


@contextmanager
def enforced(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the main thread after so many seconds, where the system has alarms; elsewhere do nothing."""
    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not able:
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
