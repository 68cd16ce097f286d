"""What a device is busy with: kernels of a work, the time they take, and the longest, by PyTorch's profiler."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.figures import sentence

LONGEST = 12  # kernels to name
SHOWN = 90  # characters of a kernel's name


def busy(clock: Clock, work: Callable[[], object], launch: float) -> dict[str, Any]:
    """Kernels of a call, on the processor the operations of this thread; a reason where nothing can be profiled.

    Args:
        work: was called before.
        launch: seconds to start a kernel, for the time that starting all of them takes at least.
    """
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if clock.cuda else [])]
    try:
        clock.synchronise()
        with profile(activities=activities) as profiler:
            started = time.perf_counter()
            work()
            clock.synchronise()
            seconds = time.perf_counter() - started
        return _summary(profiler.key_averages(), clock.cuda, seconds, launch)
    except Exception as error:  # no access to the device's counters, or another version's profiler
        return {"left_out": sentence(error)}


def _summary(events: Any, cuda: bool, seconds: float, launch: float) -> dict[str, Any]:
    wanted = DeviceType.CUDA if cuda else DeviceType.CPU
    rows = [
        (event.key, event.count, (event.self_device_time_total if cuda else event.self_cpu_time_total) / 1e6)
        for event in events
        if event.device_type == wanted and not getattr(event, "is_user_annotation", False)
    ]
    rows.sort(key=lambda row: -row[2])
    count, spent = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return {
        "kernels": count,
        "seconds_busy": spent,
        "seconds_profiled": seconds,  # longer than without the profiler
        "seconds_of_launches": count * launch,
        "longest": [
            {"name": key[:SHOWN], "calls": calls, "microseconds": 1e6 * time_, "share": time_ / spent if spent else 0.0}
            for key, calls, time_ in rows[:LONGEST]
        ],
    }
