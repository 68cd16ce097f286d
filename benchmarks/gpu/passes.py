"""One pass of a network, ours beside those of the published sizes, as `gaussiandiffusion profile` has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial

import torch

from benchmarks.gpu.clock import tensor_floats
from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.rates import convolutions_name
from benchmarks.gpu.sampling import MODEL
from benchmarks.gpu.setting import Setting
from gaussiandiffusion.evaluation.cost.flops import parameter_count, pass_flops, pass_inputs
from gaussiandiffusion.evaluation.cost.profile import RIVALS, Side, comparison
from gaussiandiffusion.pipeline import GaussianDiffusion

BATCHES, QUICK_BATCHES = (1024, 64), (2,)
PRECISIONS = ("bfloat16", "float32")
SMALL = ("small pixel U-Net",)  # the rivals of a quick run


def passes(setting: Setting) -> Iterator[Entry]:
    """Time an image of a batch, by network, precision and batch; those come first that readers look for first."""
    rivals = [rival for rival in RIVALS if not setting.quick or rival.name in SMALL]
    pipeline = GaussianDiffusion.from_pretrained(MODEL).to(setting.device)
    sides, missing = comparison(MODEL, pipeline, rivals, setting.seed)
    yield from (LeftOut(name, reason) for name, reason in missing.items())
    works = []
    for precision in PRECISIONS:
        for batch in QUICK_BATCHES if setting.quick else BATCHES:
            for side in sides:
                title = f"{side.name}, {precision}, batch {batch}"
                works.append((title, partial(_one, setting, side, precision, batch, title)))
    yield from each(works, setting.deadline)


@torch.inference_mode()
def _one(setting: Setting, side: Side, precision: str, batch: int, title: str) -> Iterator[Entry]:
    inputs = pass_inputs(side.network, side.representation, batch)
    narrow = torch.autocast(setting.device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
    with tensor_floats(False), narrow:
        timing = setting.clock.median(lambda: side.network(*inputs), within=0.3)
    flops = pass_flops(side.network, side.representation)
    products = convolutions_name(side.network, precision, setting.clock)
    seconds = timing.seconds / batch
    yield Figure(
        title, 1e6 * seconds, "us an image", ceiling=1e6 * flops / setting.rates.of_products(products),
        limit=f"{products} products",
        detail={
            "parameters": parameter_count(side.network), "flops": flops, "passes_an_image": side.passes,
            "milliseconds_of_all_passes": 1e3 * seconds * side.passes, "repeats": timing.repeats,
        },
    )  # fmt: skip
    setting.clock.forget()
