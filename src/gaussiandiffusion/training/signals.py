"""Ending a loop from outside: SIGTERM and SIGINT are noted, and the step in work is finished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """The signal that came, if one did.

    Attributes:
        number: of the signal; None: go on.
    """

    number: int | None = None

    @property
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self.number == signal.SIGINT


@contextmanager
def noted_signals() -> Iterator[StopSignal]:
    """Note SIGTERM and SIGINT instead of ending the process; handlers of before are put back."""
    stop = StopSignal()

    def note(number: int, _frame: FrameType | None) -> None:
        stop.number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
