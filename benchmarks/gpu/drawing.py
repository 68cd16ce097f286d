"""Sets of splats to pictures on the device, by the reference and by the same compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.gpu.compiling import why_not
from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.sampling import MODEL
from benchmarks.gpu.setting import Setting
from benchmarks.shared.inputs import random_splats
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering import Backend, render
from gaussiandiffusion.splats import Canvas, Splats

SETS, QUICK_SETS = 4096, 16
COLOUR = Canvas(32, 32, 3)
COLOUR_SPLATS = 128
BACKENDS: tuple[Backend, ...] = ("reference", "compiled")


def drawing(setting: Setting) -> Iterator[Entry]:
    """Time an image of digits and of colour pictures; every splat drawn everywhere, as samples are."""
    count = QUICK_SETS if setting.quick else SETS
    reason = why_not(setting)
    kinds: dict[str, Callable[[], Splats]] = {
        "digits of 24 splats": partial(_digits, setting, count),
        f"32x32x3 of {COLOUR_SPLATS} splats": partial(
            random_splats, count, COLOUR_SPLATS, COLOUR, setting.seed
        ),
    }  # fmt: skip
    works: list[tuple[str, Callable[[], Iterator[Entry]]]] = []
    for backend in BACKENDS:
        for kind, make in kinds.items():
            title = f"{count} {kind}, {backend}"
            left_out = reason if backend == "compiled" else None
            works.append((title, partial(_one, setting, title, make, backend, left_out)))
    yield from each(works, setting.deadline)


def _digits(setting: Setting, count: int) -> Splats:
    pipeline = GaussianDiffusion.from_pretrained(MODEL).to(setting.device)
    splats = pipeline(num_samples=count, seed=setting.seed).splats
    assert splats is not None
    return splats


@torch.no_grad()
def _one(
    setting: Setting, title: str, make: Callable[[], Splats], backend: Backend, left_out: str | None
) -> Iterator[Entry]:
    if left_out is not None:
        yield LeftOut(title, left_out)
        return
    splats = make().to(setting.device)
    timing = setting.clock.median(lambda: render(splats, backend=backend))
    canvas, rates = splats.canvas, setting.rates
    pixels = canvas.height * canvas.width
    arithmetic = rates.drawing(splats.num_splats * pixels, canvas.channels)
    memory = rates.moving(pixels * canvas.channels)
    yield Figure(
        title, 1e6 * timing.seconds / len(splats), "us an image", ceiling=1e6 * max(arithmetic, memory),
        limit="float32 products" if arithmetic >= memory else "memory",
        detail={"sets": len(splats), "num_splats": splats.num_splats, "repeats": timing.repeats},
    )  # fmt: skip
    setting.clock.forget()
