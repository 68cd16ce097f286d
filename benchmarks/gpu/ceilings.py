"""What the device can do at most, each by the plainest work there is of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from benchmarks.gpu.clock import Clock, tensor_floats
from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.setting import Setting

WITHIN = 0.7  # seconds of each measurement


@dataclass(frozen=True)
class Sizes:
    """How large the works are.

    Attributes:
        side, host_side: of square matrices, on the device and on the processor.
        copied, uploaded: bytes.
        launched: kernels in a row.
    """

    side: int = 8192
    host_side: int = 4096
    copied: int = 2**30
    uploaded: int = 2**28
    launched: int = 2000


QUICK = Sizes(side=256, host_side=256, copied=2**22, uploaded=2**20, launched=100)


def ceilings(setting: Setting) -> Iterator[Entry]:
    """Products of matrices by precision, copies, and starting kernels."""
    sizes, clock = QUICK if setting.quick else Sizes(), setting.clock
    works = [
        ("float32 product", partial(_product, clock, "float32 product", sizes.side, torch.float32)),
        ("copy on the device", partial(_copy, clock, sizes.copied)),
        ("launch of a kernel", partial(_launch, clock, sizes.launched)),
        ("float32 product, processor", partial(_on_processor, clock, sizes.host_side)),
        ("bfloat16 product", partial(_product, clock, "bfloat16 product", sizes.side, torch.bfloat16)),
        ("tf32 product", partial(_narrowed, clock, sizes.side)),
        ("copy from pinned memory", partial(_upload, clock, sizes.uploaded)),
    ]
    yield from each(works, setting.deadline)


def _product(clock: Clock, name: str, side: int, dtype: torch.dtype) -> Iterator[Entry]:
    with tensor_floats(False):
        yield _rate_of_product(clock, name, side, dtype)


def _narrowed(clock: Clock, side: int) -> Iterator[Entry]:
    if not clock.cuda or torch.cuda.get_device_capability(clock.device) < (8, 0):
        yield LeftOut("tf32 product", "the device has no such products")
        return
    with tensor_floats(True):
        yield _rate_of_product(clock, "tf32 product", side, torch.float32)


def _on_processor(clock: Clock, side: int) -> Iterator[Entry]:
    own = Clock(torch.device("cpu"), clock.hurry)
    yield _rate_of_product(own, "float32 product, processor", side, torch.float32)


def _rate_of_product(clock: Clock, name: str, side: int, dtype: torch.dtype) -> Figure:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(side, side, generator=generator).to(clock.device, dtype) for _ in range(2))
    out = torch.empty_like(a)
    timing = clock.median(lambda: torch.matmul(a, b, out=out), WITHIN)
    return Figure(name, 2 * side**3 / timing.seconds / 1e12, "TFLOP/s", rate=True, detail={"side": side})


def _copy(clock: Clock, size: int) -> Iterator[Entry]:
    source = torch.zeros(size, dtype=torch.uint8, device=clock.device)
    target = torch.empty_like(source)
    timing = clock.median(lambda: target.copy_(source), WITHIN)
    detail = {"bytes": size, "counted": "read and written"}
    yield Figure("copy on the device", 2 * size / timing.seconds / 1e9, "GB/s", rate=True, detail=detail)


def _upload(clock: Clock, size: int) -> Iterator[Entry]:
    if not clock.cuda:
        yield LeftOut("copy from pinned memory", "the device works in the processor's memory")
        return
    source = torch.zeros(size, dtype=torch.uint8, pin_memory=True)
    target = torch.empty(size, dtype=torch.uint8, device=clock.device)
    timing = clock.median(lambda: target.copy_(source, non_blocking=True), WITHIN)
    yield Figure(
        "copy from pinned memory", size / timing.seconds / 1e9, "GB/s", rate=True, detail={"bytes": size}
    )  # fmt: skip


def _launch(clock: Clock, count: int) -> Iterator[Entry]:
    number = torch.zeros(1, device=clock.device)

    def work() -> None:
        for _ in range(count):
            number.add_(1)

    timing = clock.median(work, WITHIN)
    yield Figure("launch of a kernel", 1e6 * timing.seconds / count, "us", detail={"in_a_row": count})
