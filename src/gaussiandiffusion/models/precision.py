"""In how many bits a network multiplies: what the device has instructions for, and a short trial of it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

Precision = Literal["no", "bf16", "fp16"]

TRIAL_SECONDS, LEAST_ROUNDS = 0.05, 3  # of a trial, after one round that is not counted
WORTH = 0.97  # of float32's time: what bfloat16 must stay below, since it also rounds

# What ONEDNN_MAX_CPU_ISA may say so that matrix products have no bfloat16 instructions to use.
_WITHOUT_BF16 = {
    "SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A precision, and in a few words why."""

    precision: Precision
    why: str


def mixed(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Matrix products in half the bits, or nothing changed."""
    if precision == "no":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bf16" else torch.float16)


def multiplies_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for products of bfloat16 matrices, and may use them.

    PyTorch takes such products everywhere, but without instructions in up to ten times the time of float32's.
    `ATEN_CPU_CAPABILITY` and `ONEDNN_MAX_CPU_ISA` make a processor one of fewer instructions.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "ALL"
    if device.type != "cpu" or allowed.upper() in _WITHOUT_BF16:
        return False
    if platform.machine().lower() in ("aarch64", "arm64"):
        return _says(torch.ops.mkldnn, "_is_mkldnn_bf16_supported")
    narrow = torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX", "AVX2")
    return not narrow and any(_says(torch.cpu, f"_is_{name}_supported") for name in ("avx512_bf16", "amx_tile"))


def faster_precision(run: Callable[[], object], device: torch.device) -> Choice:
    """Whether `run` is faster in bfloat16 or as it is: tried for 50 ms or three rounds where there are instructions.

    Args:
        run: a piece of the work that is to be done, calling a network of float32 weights; repeated.
    """
    if not multiplies_bf16(device):
        return Choice("no", f"this {_word(device)} has no bfloat16 products")
    times: dict[Precision, list[float]] = {"no": [], "bf16": []}
    for precision in times:  # fills caches, chooses kernels
        _timed(run, device, precision)
    until = time.perf_counter() + TRIAL_SECONDS
    while len(times["no"]) < LEAST_ROUNDS or time.perf_counter() < until:
        for precision, found in times.items():  # in turn, so that what disturbs one disturbs both
            found.append(_timed(run, device, precision))
    ratio = statistics.median(times["bf16"]) / statistics.median(times["no"])
    return Choice("bf16" if ratio < WORTH else "no", f"bfloat16 took {ratio:.2f} of float32's time in a trial")


def _timed(run: Callable[[], object], device: torch.device, precision: Precision) -> float:
    started = time.perf_counter()
    with mixed(device, precision):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _says(module: Any, name: str) -> bool:
    """What PyTorch says of the processor; False in versions that do not know the question."""
    return bool(getattr(module, name, lambda: False)())


def _word(device: torch.device) -> str:
    return "processor" if device.type == "cpu" else "GPU"
