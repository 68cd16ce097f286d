"""Whole data sets to splat files: read, fitted and written shard by shard, resumable after a kill."""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gaussiandiffusion.data import ContentHash, ImageSet, ImageSource, read_ahead
from gaussiandiffusion.encoding.base import Encoded, Encoder
from gaussiandiffusion.encoding.shards import REPORT, clear, kept_psnr, refuse_others, shard_length, shard_paths
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import locked, write_json
from gaussiandiffusion.ground.provenance import peak_memory
from gaussiandiffusion.splats.merge import merge

Progress = Callable[[int], None]


Parts = Iterator[tuple[int, ImageSet]]
Results = Generator[tuple[int, Encoded], None, None]
# Fits numbered sets of images wherever it likes, to a target PSNR (dB), and gives them back in any order; tells of its
# progress. It draws only those parts that it can work on soon, so that memory stays bounded.
Engine = Callable[[Encoder, Parts, float | None, Progress], Results]


def local(threads: int | None = None, device: torch.device | str = "cpu") -> Engine:
    """The engine that fits here, on so many threads (default: torch's); on another device by the reference."""

    def fit(encoder: Encoder, parts: Parts, target_psnr: float | None, progress: Progress) -> Results:
        for i, part in parts:
            yield (
                i,
                encoder.encode(part.images, target_psnr=target_psnr, threads=threads, device=device, progress=progress),
            )

    return fit


def encode_dataset(
    images: ImageSource | ImageSet,
    encoder: Encoder,
    out: Path,
    *,
    target_psnr: float | None = None,
    resume: bool = False,
    engine: Engine | None = None,
    progress: Progress | None = None,
    on_shard: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Encode images to `out`: one file if it ends in .safetensors, otherwise a folder of shards.

    A thread reads the next shard's images while one is fitted; no more than a few shards are ever in memory. Shards
    are written whole, and nothing of an earlier run goes before the first of them is ready; for a single file they
    lie in `NAME.partial/` until it is complete. With `resume`, shards that are intact, of the same settings and of
    the same pixels and conditions (which are read again) are kept. The files' bytes depend on images and settings
    alone: not on interruptions, the engine or its number of workers.

    Args:
        images: all of one size.
        encoder: its settings and template go into every header.
        target_psnr: see `Encoder.encode`.
        engine: where to fit; default: here.
        progress: called with the number of images finished since the last call.
        on_shard: called after each shard with the mean PSNR (dB) so far.

    Returns:
        The report, also written as JSON beside the sets.

    Raises:
        InputError: shards of other images or settings are in the way, another process is writing there, `out` cannot
            be written, or an image cannot be read; finished shards stay.
    """
    source = images if isinstance(images, ImageSource) else ImageSource.of(images)
    _check(source, encoder)
    single = out.suffix == ".safetensors"
    folder = out.with_name(out.name + ".partial") if single else out
    length = shard_length(source.canvas, encoder.num_splats)
    paths = shard_paths(folder, math.ceil(len(source) / length))
    encoder_header = encoder.header() | {"target_psnr": target_psnr}
    about = {"name": source.name, "split": source.split, "num": len(source)}
    started = time.perf_counter()
    height, width, channels = source.canvas
    content = ContentHash((len(source), channels, height, width))
    psnr = np.zeros(len(source), np.float32)
    count = fitted = 0
    waiting: dict[int, tuple[ConditionColumns | None, str]] = {}  # conditions and sum of what is being fitted

    def finish(i: int, values: np.ndarray) -> None:
        nonlocal count
        psnr[i * length : i * length + len(values)] = values
        count += len(values)
        if on_shard is not None:
            on_shard(float(psnr.sum(dtype=np.float64)) / count)

    def unfinished(parts: Iterator[ImageSet]) -> Parts:
        for i, part in enumerate(parts):
            content.update(part.images)
            kept = kept_psnr(paths[i], part.sha256, len(part)) if resume else None
            if kept is None:
                waiting[i] = part.conditions, part.sha256
                yield i, part
            else:
                finish(i, kept)
                (progress or _ignore)(len(part))

    with locked(folder):
        if resume:
            refuse_others(folder, paths, encoder_header, about)
        with contextlib.ExitStack() as stack:  # ends the reading thread, and the engine's workers, in any case
            parts = unfinished(stack.enter_context(contextlib.closing(read_ahead(source, length))))
            results = (engine or local())(encoder, parts, target_psnr, progress or _ignore)
            for i, encoded in stack.enter_context(contextlib.closing(results)):
                if not resume and not fitted:
                    clear(folder)
                conditions, sha256 = waiting.pop(i)
                encoded.splats.save(
                    paths[i],
                    conditions=None if conditions is None else Conditions.of(conditions),
                    psnr=encoded.psnr,
                    signed=encoder.signed,
                    encoder=encoder_header,
                    source=about | {"sha256": sha256},
                )
                fitted += len(encoded.psnr)
                finish(i, encoded.psnr.numpy())
        about |= {"sha256": content.hexdigest(source.conditions)}
        report = _report(psnr, fitted, time.perf_counter() - started, target_psnr)
        report |= {"encoder": encoder_header, "source": about}
        if single:
            merge(paths, out, about)
            shutil.rmtree(folder)
    write_json(out.with_suffix(".encode.json") if single else out / REPORT, report)
    return report


def _check(source: ImageSource, encoder: Encoder) -> None:
    if not len(source):
        raise InputError(f"{source.name}: holds no images; give another source")
    canvas = None if encoder.template is None else encoder.template.canvas
    if canvas is not None and (canvas.height, canvas.width, canvas.channels) != source.canvas:
        height, width, channels = source.canvas
        raise InputError(
            f"the template was learned for {canvas.width}x{canvas.height} images of {canvas.channels} channel(s), but "
            f"those of {source.name} are {width}x{height} with {channels}; learn one with --learn-template"
        )


def _ignore(_: int) -> None:
    pass


def _report(psnr: np.ndarray, fitted: int, seconds: float, target_psnr: float | None) -> dict[str, Any]:
    quantiles = {f"p{q}": round(float(np.percentile(psnr, q)), 3) for q in (1, 10, 50, 90, 99)}
    mean = float(psnr.mean(dtype=np.float64))
    report: dict[str, Any] = {
        "num": len(psnr),
        "psnr": {"mean": round(mean, 3), "min": round(float(psnr.min()), 3), **quantiles},
        "fitted_now": fitted,
        "seconds": round(seconds, 3),
        "images_per_second": round(fitted / seconds, 1) if fitted else None,
        "threads": torch.get_num_threads(),
        "peak_memory_bytes": peak_memory(),
    }
    if target_psnr is not None:
        report["target_psnr"] = target_psnr
        report["below_target"] = int((psnr < target_psnr).sum())
    return report
