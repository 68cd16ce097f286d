"""When the frames of an animation are shown, and between which of the drawn ones each lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Place:
    """A frame in time: so much of the way from one drawn frame to another."""

    before: int
    after: int
    share: float  # 0: the one before


def places(drawn: int, fps: float, keyed: float, *, loops: bool) -> list[Place]:
    """Frames at a rate of `fps` through drawn ones that follow each other at a rate of `keyed`.

    Three times the rate puts two frames between each pair. Rates that are no multiple meet the first drawn frame, and
    the last of an animation that does not loop; the time is the same to half a frame.

    Args:
        drawn: number of drawn frames, >= 1.
        loops: also from the last to the first.
    """
    spans = drawn if loops else drawn - 1
    steps = max(1, math.floor(spans * fps / keyed + 0.5)) if spans else 0
    made = []
    for i in range(steps + (not loops or not spans)):
        whole, rest = divmod(i * spans, steps or 1)
        made.append(Place(whole, (whole + 1) % drawn if rest else whole, rest / (steps or 1)))
    return made


def durations(count: int, fps: float, unit: int = 1) -> list[int]:
    """Milliseconds of each of so many frames, in whole units whose sum keeps time."""
    ends = [unit * round(1000 * i / fps / unit) for i in range(count + 1)]
    return [end - start for start, end in pairwise(ends)]
