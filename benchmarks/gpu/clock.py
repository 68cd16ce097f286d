"""Time on a device: by its own events on CUDA, by the processor's clock elsewhere. All that is CUDA's is here.

An event is stamped when the device comes to it. Between two of them therefore lies what the device did and what it
waited for, whichever of device and processor was the slower; nothing has to be waited for until all is done.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

Work = Callable[[], object]
Stamp = Any  # an event of CUDA, or seconds

SHORTEST = 2e-3  # seconds of a measurement: shorter works are repeated within it
BY_DEFAULT = 0.5  # seconds that the measurements of a work take
WARM = 2  # calls that are not counted: they compile, choose kernels and fill caches
LEAST = 3  # measurements, however long they take


@dataclass(frozen=True)
class Timing:
    """What a work takes.

    Attributes:
        seconds: median of a call.
        repeats: measurements.
        calls: of the work in each of them.
    """

    seconds: float
    repeats: int
    calls: int


class Clock:
    """Stamps and medians on one device.

    Args:
        device: cuda or cpu.
        hurry: factor of the time that measurements take, for trials.
    """

    def __init__(self, device: torch.device, hurry: float = 1.0) -> None:
        self.device, self.hurry = device, hurry
        self.cuda = device.type == "cuda"

    def synchronise(self) -> None:
        """Wait for what the device was asked to do; processors are never behind."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def stamp(self) -> Stamp:
        """Now, as the device counts it."""
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event

    def between(self, before: Stamp, after: Stamp) -> float:
        """Seconds; of events only when the device has come to both."""
        return before.elapsed_time(after) / 1000 if self.cuda else after - before

    def median(self, work: Work, within: float = BY_DEFAULT) -> Timing:
        """The median of a work's calls, each measurement beginning with an idle device.

        Args:
            within: seconds to measure for.
        """
        warm = WARM if self.hurry == 1 else 1
        single = min(self._measured(work, 1) for _ in range(warm + 1))  # one of them may have been interrupted
        calls = max(1, round(SHORTEST * self.hurry / max(single, 1e-7)))
        until, times = time.perf_counter() + within * self.hurry, list[float]()
        while len(times) < LEAST or time.perf_counter() < until:
            times.append(self._measured(work, calls))
        return Timing(statistics.median(times), len(times), calls)

    def _measured(self, work: Work, calls: int) -> float:
        self.synchronise()
        before = self.stamp()
        for _ in range(calls):
            work()
        after = self.stamp()
        self.synchronise()
        return self.between(before, after) / calls

    def forget(self) -> None:
        """Give back memory that nobody holds any more."""
        if self.cuda:
            torch.cuda.empty_cache()


class Laps:
    """How long the parts of a repeated work take: each lap is named when it ends.

    Attributes:
        marks: names and stamps, in order.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock, self.marks, self.closed = clock, list[tuple[str, Stamp]](), False

    def mark(self, name: str) -> None:
        """The lap since the mark before ends here."""
        if not self.closed:
            self.marks.append((name, self.clock.stamp()))

    def close(self) -> None:
        """No lap counts that ends from now on."""
        self.closed = True

    def taken(self) -> list[tuple[str, float]]:
        """Every lap with its seconds; the first mark only begins."""
        self.clock.synchronise()
        ends = zip(self.marks, self.marks[1:], strict=False)
        return [(name, self.clock.between(before, after)) for (_, before), (name, after) in ends]

    def totals(self) -> dict[str, float]:
        """Seconds of all laps of a name."""
        sums: dict[str, float] = {}
        for name, seconds in self.taken():
            sums[name] = sums.get(name, 0.0) + seconds
        return sums

    def medians(self, skip: int = 0) -> dict[str, float]:
        """The median of each name's laps, but for its first few."""
        found: dict[str, list[float]] = {}
        for name, seconds in self.taken():
            found.setdefault(name, []).append(seconds)
        return {name: statistics.median(values[skip:] or values) for name, values in found.items()}


@contextmanager
def tensor_floats(allowed: bool) -> Iterator[None]:
    """Products of float32 matrices in 19 bits, as PyTorch's "high" precision has it, or in all 32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def device_words(device: torch.device) -> dict[str, Any]:
    """What a reader of figures needs of the device; of a processor its kind alone."""
    from benchmarks.gpu.driver import driver_version

    if device.type != "cuda":
        import platform

        return {"kind": device.type, "name": platform.machine()}
    about = torch.cuda.get_device_properties(device)
    return {
        "kind": "cuda",
        "name": about.name,
        "capability": [about.major, about.minor],
        "memory_bytes": about.total_memory,
        "multiprocessors": about.multi_processor_count,
        "driver": driver_version(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
