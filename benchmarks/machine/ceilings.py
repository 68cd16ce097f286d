"""What the machine could do at best: its arithmetic, its memory, and how fast PyTorch is there at all."""

from __future__ import annotations

import subprocess
import sys
import time

import torch

from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.ground.threads import thread_count

SIDE = 1536  # of the square matrices that are multiplied
BYTES = 256 << 20  # that are copied: beyond any cache
REPEATS = 5


def ceilings(quick: bool = False) -> dict[str, float]:
    """Rates of the machine by name: GFLOP/s of matrix products, GB/s of copies, seconds of PyTorch's import."""
    side, size = (SIDE // 4, BYTES // 16) if quick else (SIDE, BYTES)
    threads, before = thread_count(), torch.get_num_threads()
    found = {}
    for name, count, dtype in (
        ("gflops_one_thread", 1, torch.float32),
        ("gflops", threads, torch.float32),
        ("gflops_bfloat16", threads, torch.bfloat16),
    ):
        factor = torch.ones(side, side, dtype=dtype)
        torch.set_num_threads(count)
        try:
            seconds = median_seconds({"product": lambda factor=factor: factor @ factor}, REPEATS)["product"]
        finally:
            torch.set_num_threads(before)
        found[name] = 2 * side**3 / seconds / 1e9
    block = torch.ones(size // 4)
    to = torch.empty_like(block)
    found["gigabytes_per_second"] = 2 * size / median_seconds({"copy": lambda: to.copy_(block)}, REPEATS)["copy"] / 1e9
    found["import_torch_seconds"] = median_seconds({"import": _import_torch}, 1 if quick else 3)["import"]
    return found


def _import_torch() -> None:
    subprocess.run([sys.executable, "-c", "import torch"], check=True)


def clock_share() -> float:
    """Processor time that a busy loop of this process gets of the wall's: below 1 on a machine that does other work."""
    wall, cpu = time.perf_counter(), time.thread_time()
    while time.perf_counter() - wall < 0.5:
        pass
    return (time.thread_time() - cpu) / (time.perf_counter() - wall)
