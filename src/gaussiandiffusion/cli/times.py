"""Times at which `animate` shows a process, from 0 (data, the first end, no fit) to 1."""

from __future__ import annotations

import math

from gaussiandiffusion.ground.errors import InputError

CHOSEN = {  # times of a strip by default
    "forward": (0.0, 0.25, 0.5, 0.75, 1.0),
    "reverse": (1.0, 0.75, 0.5, 0.25, 0.0),
    "terminal": (0.0, 0.5, 1.0),
    "interpolate": (0.0, 0.25, 0.5, 0.75, 1.0),
    "encode": (0.0, 0.25, 0.5, 0.75, 1.0),
}


def even_times(process: str, frames: int) -> list[float]:
    """Times of an animation's frames, evenly; an interpolation goes back too."""
    even = [i / max(1, frames - 1) for i in range(frames)]
    if process == "reverse":
        return even[::-1]
    return [*even, *even[-2:0:-1]] if process == "interpolate" else even


def strip_times(process: str, text: str | None) -> list[float]:
    """Times of a strip as they are written, with commas between; raises InputError unless each lies between 0 and 1."""
    if text is None:
        return list(CHOSEN[process])
    times = []
    for word in text.split(","):
        try:
            times.append(float(word))
        except ValueError:
            times.append(math.nan)
        if not 0 <= times[-1] <= 1:
            raise InputError(f"--strip takes times from 0 to 1 with commas between, such as 0,0.5,1, not '{word}'")
    return times
