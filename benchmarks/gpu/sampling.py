"""Digits of the bundled model `mnist-few`, four passes each, from the request to drawn pictures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from benchmarks.gpu.clock import Laps, tensor_floats
from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.kernels import busy
from benchmarks.gpu.rates import products_name
from benchmarks.gpu.setting import Setting
from gaussiandiffusion.diffusion import Guidance, passes
from gaussiandiffusion.evaluation.cost.flops import pass_flops
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.pipeline.chunks import chunk_size

MODEL = "mnist-few"
TARGET = 15.0  # us an image
CHUNKS = (None, 32, 512, 2048)  # None: the model's own
LEAST, CHUNKS_AT_LEAST = 1024, 4  # images, and chunks, of a call
QUICK_CHUNK, QUICK_IMAGES = 8, 8
ROUNDS = 5  # of which the parts are medians
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}
PARTS = ("noise", "network", "decoding", "drawing")


def sampling(setting: Setting) -> Iterator[Entry]:
    """Time an image at several sizes of chunk, whole and by its parts."""
    cases = [*(("float32", chunk) for chunk in CHUNKS), ("bfloat16", None)]
    if setting.clock.cuda:
        cases.append(("tf32", None))
    if setting.quick:
        cases = [("float32", None), ("bfloat16", QUICK_CHUNK)]
    works = [(_title(chunk, dtype), partial(_case, setting, chunk, dtype)) for dtype, chunk in cases]
    yield from each(works, setting.deadline)


def _title(chunk: int | None, dtype: str) -> str:
    return f"{'default chunks' if chunk is None else f'chunks of {chunk}'}, {dtype}"


def _case(setting: Setting, chunk: int | None, dtype: str) -> Iterator[Entry]:
    title = _title(chunk, dtype)
    kept = {} if chunk is None else {"chunk_size": chunk}
    pipeline = GaussianDiffusion.from_pretrained(MODEL, dtype=DTYPES[dtype], **kept).to(setting.device)
    size = pipeline.chunk_size
    if chunk is not None and size == chunk_size(setting.device.type, pipeline.denoiser):
        yield LeftOut(title, "the default chunks are of that size")
        return
    count = QUICK_IMAGES if setting.quick else max(LEAST, CHUNKS_AT_LEAST * size)

    with tensor_floats(dtype == "tf32"):
        yield from _measured(setting, pipeline, count, title, default=chunk is None)


def _measured(setting: Setting, pipeline: GaussianDiffusion, count: int, title: str, default: bool) -> Iterator[Entry]:
    clock, size = setting.clock, pipeline.chunk_size

    def work() -> object:
        return pipeline(num_samples=count, seed=setting.seed)

    timing = clock.median(work, within=1.0)
    flops = image_flops(pipeline)
    products = used_products(pipeline)
    least = least_seconds(setting, pipeline, products)
    detail = {
        "chunk": size, "images": count, "products": products, "flops": flops, "repeats": timing.repeats,
        "profile_of_a_chunk": busy(
            clock, lambda: pipeline(num_samples=min(size, count), seed=setting.seed), setting.rates.launch
        ),
    }  # fmt: skip
    yield Figure(
        title, 1e6 * timing.seconds / count, "us an image", ceiling=1e6 * least["network"],
        limit=f"{products} products", target=TARGET if default else None, detail=detail,
    )  # fmt: skip
    limits = {"network": f"{products} products", "drawing": "float32 products"}
    for name, seconds in parts(setting, pipeline, count).items():
        yield Figure(
            f"{title}: {name}", 1e6 * seconds / count, "us an image", ceiling=1e6 * least[name],
            limit=limits.get(name, "memory"),
        )  # fmt: skip


def image_flops(pipeline: GaussianDiffusion) -> int:
    """Operations of all passes that an image takes."""
    steps, scale = pipeline.config["num_inference_steps"], pipeline.config["guidance_scale"]
    one = pass_flops(pipeline.denoiser, pipeline.representation)
    return one * passes(pipeline.scheduler, steps, Guidance(scale))


def used_products(pipeline: GaussianDiffusion) -> str:
    """What the network's largest layer multiplies in when samples are made, whoever decides that."""
    layers = [module for module in pipeline.denoiser.modules() if isinstance(module, nn.Linear)]
    seen: list[torch.dtype] = []
    largest = max(layers, key=lambda layer: layer.weight.numel())
    hook = largest.register_forward_hook(lambda layer, inputs, output: seen.append(output.dtype))
    try:
        pipeline(num_samples=1, num_inference_steps=1)
    finally:
        hook.remove()
    return products_name(seen[0])


def least_seconds(setting: Setting, pipeline: GaussianDiffusion, products: str) -> dict[str, float]:
    """What each part of an image takes at least: products for the network, memory for noise and sets."""
    rates, representation = setting.rates, pipeline.representation
    splats, features = representation.latent_shape
    canvas = representation.canvas
    numbers = splats * features
    pixels = canvas.height * canvas.width
    return {
        "noise": rates.moving(numbers),  # written
        "network": image_flops(pipeline) / rates.of_products(products),
        "decoding": rates.moving(2 * numbers),  # read and written
        "drawing": max(rates.drawing(splats * pixels, canvas.channels), rates.moving(pixels * canvas.channels)),
    }


@torch.no_grad()
def parts(setting: Setting, pipeline: GaussianDiffusion, count: int) -> dict[str, float]:
    """Seconds of each part for so many images: medians of some rounds after one that is not counted."""
    rounds = []
    for _ in range(1 + (2 if setting.quick else ROUNDS)):
        laps = Laps(setting.clock)
        laps.mark("begin")
        last = None
        for state in pipeline.stream(count, seed=setting.seed):
            laps.mark("noise" if state.step == 0 else "network")
            if state.step == state.steps:
                last = state.padded
                laps.mark("decoding")
                last = state.images()
                laps.mark("drawing")
        assert last is not None
        rounds.append(laps.totals())
    return {name: statistics.median(found[name] for found in rounds[1:]) for name in PARTS}
