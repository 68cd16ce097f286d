"""Images to sets of splats: the PyTorch reference on the device, and the fused kernel on all cores."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import partial

import torch
from numpy import ndarray

from benchmarks.gpu.figures import Entry, Figure, LeftOut, each
from benchmarks.gpu.pictures import some_pictures
from benchmarks.gpu.setting import Setting
from gaussiandiffusion.encoding import Encoded, FitEncoder, make_encoder
from gaussiandiffusion.rendering import FOOTPRINT
from gaussiandiffusion.rendering.cpu.compiler import kernel_available
from gaussiandiffusion.rendering.grid import pixel_axes
from gaussiandiffusion.rendering.reference import footprints
from gaussiandiffusion.splats import Splats

SPLATS, QUICK_SPLATS = 128, 16
QUICK_ITERATIONS = 10
ON_DEVICE, ON_CORES, QUICK_IMAGES = 256, 1024, 8
COUNTED = 64  # sets whose footprints are counted


def encoding(setting: Setting) -> Iterator[Entry]:
    """Time an image on either side, and say how well the sets show it."""
    quick = setting.quick
    encoder = make_encoder(
        3, num_splats=QUICK_SPLATS if quick else SPLATS, iterations=QUICK_ITERATIONS if quick else None
    )
    images, kind = some_pictures(setting.data_dir, QUICK_IMAGES if quick else ON_CORES, setting.seed)
    cores = partial(_one, setting, "fused kernel, all cores", encoder, images, kind, "cpu")
    device = partial(_one, setting, "reference on the device", encoder, images[:ON_DEVICE], kind, setting.device.type)
    works = [("fused kernel, all cores", cores), ("reference on the device", device)]
    yield from each(works, setting.deadline)


def _one(setting: Setting, title: str, encoder: FitEncoder, images: ndarray, kind: str, device: str) -> Iterator[Entry]:
    on_host = title.startswith("fused")
    if on_host and not kernel_available():
        yield LeftOut(title, "the fused kernel needs numba")
        return
    if not on_host and device == "cpu":
        yield LeftOut(title, "the device is the processor, which takes the fused kernel")
        return
    encoder.encode(images[:8], device=device)  # compiles
    times: list[float] = []
    until = time.perf_counter() + min(4.0, setting.deadline.left / 2)
    while not times or time.perf_counter() + times[-1] < until:
        started = time.perf_counter()
        found = encoder.encode(images, device=device)  # whose result lies on the processor: nothing to wait for
        times.append(time.perf_counter() - started)
    pairs = reached(found.splats[:COUNTED]) / min(COUNTED, len(images)) * encoder.settings.iterations
    least = setting.rates.drawing(pairs, images.shape[1], gradients=True, on_host=on_host)
    yield Figure(
        title, 1e3 * statistics.median(times) / len(images), "ms an image", ceiling=1e3 * least,
        limit=f"float32 products{', processor' if on_host else ''}",
        detail=_detail(encoder, found, images, kind, times),
    )  # fmt: skip


def _detail(encoder: FitEncoder, found: Encoded, images: ndarray, kind: str, times: list[float]) -> dict[str, object]:
    return {
        "images": len(images), "of": kind, "num_splats": encoder.num_splats, "start": encoder.settings.start,
        "iterations": encoder.settings.iterations, "psnr_mean": float(found.psnr.mean()), "repeats": len(times),
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def reached(splats: Splats) -> int:
    """Pairs of a splat and a pixel inside its footprint, which a fit must visit at every step."""
    y, x = pixel_axes(splats.canvas, dtype=splats.means.dtype, device=splats.device)
    return int((footprints(splats, y, x, FOOTPRINT) > 0).sum())
