"""Trainings of so many minutes: what a step takes, how many a budget holds, and whether it did."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate.utils import broadcast_object_list
from tqdm import tqdm

from gaussiandiffusion.evaluation.cost.timing import synchronise
from gaussiandiffusion.training.config import OptimiserConfig
from gaussiandiffusion.training.minutes import budget_minutes

SHARE = 0.05  # of a budget that may be spent on timing
LEAST, MOST = 3, 100  # steps that are timed, after one that is not: it compiles and fills caches
TOLERANCE = 0.15  # of a budget's time, beyond which the reason is told


@dataclass(frozen=True)
class StepTimes:
    """What some steps took.

    Attributes:
        seconds: median of one.
        count: how many.
        spent: seconds of them all.
    """

    seconds: float
    count: int
    spent: float

    def steps_in(self, minutes: float) -> int:
        """Steps that a budget holds, this timing counted; at least one."""
        return max(1, int((60 * minutes - self.spent) / self.seconds))

    def bought(self, minutes: float) -> str:
        """In words."""
        milliseconds = 1000 * self.seconds
        return (
            f"budget of {minutes:g} minutes: {self.steps_in(minutes)} steps of {milliseconds:.0f} ms, "
            f"after {self.count} in {self.spent:.1f} s to time them"
        )


def time_steps(
    step: Callable[[], object], device: torch.device, limit: float = math.inf, most: int = MOST
) -> StepTimes:
    """Time some steps, with a bar from the first on.

    Args:
        limit: seconds, after which no further step is timed once there are `LEAST`.
        most: steps to time.
    """
    times: list[float] = []
    with tqdm(total=most + 1, desc="timing steps", unit="step") as bar:
        _timed(step, device)
        bar.update()
        while len(times) < LEAST or (len(times) < most and sum(times) < limit):
            times.append(_timed(step, device))
            bar.update()
        bar.total = bar.n
    return StepTimes(statistics.median(times), len(times), sum(times))


def tell_overrun(config: OptimiserConfig, planned: float | None, seconds: float | None) -> None:
    """Say so if a budget's training, with its `max_steps`, took another time than it should; see `overrun`."""
    if config.budget is not None and planned is not None and seconds is not None:
        words = overrun(budget_minutes(config.budget), planned, config.max_steps, seconds)
        if words is not None:
            tell(words)


def overrun(minutes: float, planned: float, steps: int, seconds: float) -> str | None:
    """Why a budget's training took longer or shorter than its time; None if it did not, but for 15 %.

    Args:
        planned: seconds of a step, as timed when training began.
        seconds: that all `steps` took; the timing took what they were to leave of the budget.
    """
    now = seconds / steps
    taken = (seconds + max(0.0, 60 * minutes - steps * planned)) / 60
    if abs(taken / minutes - 1) <= TOLERANCE:
        return None
    reason = f"a step took {1000 * now:.0f} ms, {1000 * planned:.0f} when it was timed"
    if abs(now / planned - 1) <= TOLERANCE:
        reason = f"a step takes {1000 * planned:.0f} ms"
    changed = "; the machine became busier" if now > planned * (1 + TOLERANCE) else ""
    changed = "; the machine became less busy" if now < planned * (1 - TOLERANCE) else changed
    return f"the budget of {minutes:g} minutes took {taken:.2g}: {reason}{changed}"


def late(until: float, processes: int) -> bool:
    """Whether it is `until`, as `time.perf_counter` of the first process tells it: its clock is everybody's."""
    over = time.perf_counter() >= until
    return bool(broadcast_object_list([over])[0]) if processes > 1 and until < math.inf else over


def tell(words: str) -> None:
    """A line on stderr, above any bar."""
    tqdm.write(words, file=sys.stderr)


def _timed(step: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    step()
    synchronise(device)
    return time.perf_counter() - started
