"""Steps of a training, as the trainer takes them, broken down where one part of a step hands over to the next."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from benchmarks.gpu.clock import Laps
from benchmarks.gpu.compiling import why_not
from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.kernels import busy
from benchmarks.gpu.pictures import training_pictures
from benchmarks.gpu.recipe import recipe, size_of
from benchmarks.gpu.setting import Setting

TARGET = 15_000.0  # samples a second
IMAGES = 2048
STEPS, WARM = 60, 20  # steps that are counted, after some that are not
QUICK_STEPS, QUICK_WARM = 2, 1
# Numbers a weight that must be read and written: by AdamW its weight, gradient and two moments, of which it writes
# three, and its average; for clipping its gradient once for the norm, and once to be made smaller.
MOVED = {"optimiser and average": 9, "clipping": 3}
PATIENCE = 30.0  # seconds that must be left for compiling

# (title, settings, whether the target is meant)
CASES: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("bfloat16", {}, True),
    ("bfloat16, no rendered loss", {"render_weight": 0.0}, False),
    ("bfloat16, compiled", {"compile": True}, True),
)


def steps(setting: Setting) -> Iterator[Entry]:
    """Time steps of `base` on sets of 128 splats in batches of 256."""
    from gaussiandiffusion.training.latents import load_training_set

    size = size_of(setting.quick)
    images = 4 * size.batch if setting.quick else IMAGES
    pictures = training_pictures(None, images, setting.seed, setting.scratch)  # what they show changes no time
    plain = recipe(size, pictures, setting.seed)
    data = load_training_set(plain, None)
    works = [(title, partial(_case, setting, title, changes, meant, data, pictures)) for title, changes, meant in CASES]
    yield from each(works, setting.deadline)


def _case(
    setting: Setting, title: str, changes: dict[str, Any], meant: bool, data: Any, pictures: Any
) -> Iterator[Entry]:
    if changes.get("compile"):
        reason = why_not(setting)
        if reason is None and setting.deadline.left < PATIENCE:
            reason = "no time was left for compiling"
        if reason is not None:
            yield LeftOut(title, reason)
            return
    from gaussiandiffusion.evaluation.cost.flops import parameter_count, training_flops
    from gaussiandiffusion.training.trainer import Trainer

    size = size_of(setting.quick)
    count, warm = (QUICK_STEPS + QUICK_WARM, QUICK_WARM) if setting.quick else (STEPS + WARM, WARM)
    config = recipe(size, pictures, setting.seed, max_steps=count + 1, warmup_steps=1, **changes)
    folder = setting.scratch / f"steps-{title}".replace(" ", "-")
    trainer = Trainer(config, data, folder, setting.device.type)
    laps, profile = Laps(setting.clock), dict[str, Any]()

    def look(step: Callable[[], object]) -> None:
        profile.update(busy(setting.clock, step, setting.rates.launch))

    with marked(trainer.work, laps, count, look):
        trainer.train()
    found = laps.medians(skip=warm)
    step = _between_steps(laps, warm)
    rate = size.batch / step
    flops = training_flops(trainer.model, trainer.data.representation)
    best = setting.rates.of_products("bfloat16")
    detail = {
        "network": size.network, "parameters": parameter_count(trainer.model), "num_splats": size.splats,
        "batch": size.batch, "steps": count - warm, "flops_a_sample": flops, "tflops_a_second": rate * flops / 1e12,
        "profile_of_a_step": profile,
    }  # fmt: skip
    yield Figure(
        f"{title}: samples", rate, "samples/s", rate=True, ceiling=best / flops, limit="bfloat16 products",
        target=TARGET if meant else None, detail=detail,
    )  # fmt: skip
    yield Figure(f"{title}: step", 1e3 * step, "ms", ceiling=1e3 * size.batch * flops / best, limit="bfloat16 products")
    shares = {"forward": 1 / 3, "backward": 2 / 3}  # of the products: a gradient takes twice what it differentiates
    weights = parameter_count(trainer.model)
    for name, seconds in found.items():
        ceiling, limit = None, ""
        if name in shares:
            ceiling, limit = 1e3 * shares[name] * size.batch * flops / best, "bfloat16 products"
        elif name in MOVED:
            ceiling, limit = 1e3 * setting.rates.moving(MOVED[name] * weights), "memory"
        yield Figure(f"{title}: {name}", 1e3 * seconds, "ms", ceiling=ceiling, limit=limit)
    setting.clock.forget()


@contextmanager
def marked(work: Any, laps: Laps, count: int, look: Callable[[Callable[[], object]], object]) -> Iterator[None]:
    """Mark where the parts of each step end, by what the trainer's `work` calls, which stays as it is.

    "rest" is what lies between the steps: the log, the bar, looking for signals.

    Args:
        count: steps to mark.
        look: is given the step after these, to call it.
    """
    advance, backward, clip = work.advance, work.accelerator.backward, work.accelerator.clip_grad_norm_
    loss, begun = type(work.loss), itertools.count(1)
    forward = loss.__call__

    def after(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            laps.mark(name)
            return result

        return call

    def step(feed: Iterator[Any]) -> Any:
        laps.mark("rest")
        if next(begun) <= count:
            return after("optimiser and average", advance)(_told(feed, laps))
        laps.close()
        parts: dict[str, Any] = {}
        look(lambda: parts.update(advance(feed)))
        return parts

    with ExitStack() as stack:
        stack.enter_context(patch.object(loss, "__call__", after("forward", forward)))
        stack.enter_context(patch.object(work.accelerator, "backward", after("backward", backward)))
        stack.enter_context(patch.object(work.accelerator, "clip_grad_norm_", after("clipping", clip)))
        stack.enter_context(patch.object(work, "advance", step))
        yield


def _told(feed: Iterator[Any], laps: Laps) -> Iterator[Any]:
    for batch in feed:
        laps.mark("data")
        yield batch


def _between_steps(laps: Laps, skip: int) -> float:
    """Mean seconds from one step's beginning to the next's, but for the first few steps and the last."""
    begins = [stamp for name, stamp in laps.marks if name == "rest"]
    first = min(skip, len(begins) - 2)
    return laps.clock.between(begins[first], begins[-1]) / (len(begins) - 1 - first)
