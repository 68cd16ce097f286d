"""Ours against the published encoders: same images, machine, threads and PSNR, both sides in one run.

python -m benchmarks.published --out benchmarks/results/published.json --data-dir DATA

A race: the published encoder fits the images side by side until their median PSNR reaches the target, or to its end;
ours fits them with the fewest iterations that get as far. Both times include the start and leave out the first, warming
call (ours compiles in it). The published side is our reimplementation (`gaussiandiffusion.published.encoders`): the
same arithmetic in fewer operations, hence no slower than the original.

A reprint: the PSNR that the paper's encoder reaches, beside the one printed in the paper.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.shared.inputs import random_images
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.published.encoders import PUBLISHED, PublishedSettings, fit_published

LADDER = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 50, 64, 80, 100, 120, 150, 200, 300, 400, 600, 800, 1200, 1600)


@dataclass(frozen=True)
class Race:
    """A published encoder and the PSNR to reach with as many splats."""

    data: str
    settings: str
    target_psnr: float


@dataclass(frozen=True)
class Reprint:
    """A PSNR printed in the paper (table 1)."""

    data: str
    printed_psnr: float


RACES = (Race("mnist", "followup-mnist", 40.0), Race("cifar10", "followup-cifar10", 44.0))
REPRINTS = (Reprint("mnist", 30.1), Reprint("sprites", 36.4))


@dataclass(frozen=True)
class Arguments:
    """Race the published encoders, and measure the paper's again.

    Args:
        out: JSON file to write.
        data_dir: folder with the data sets' files; default: the cache, filled by downloading.
        images: test images, drawn at random by the seed (the first of MNIST's are easier than the rest).
        threads: numbers of threads to race with, the same on both sides.
        repeats: timed runs of ours; their median counts.
        copies: times our timed runs encode every image, so that starting threads does not count as encoding.
        signed: allow our encoder negative colours; the published ones have none.
        only: data sets to measure; default: all.
    """

    out: Path
    data_dir: Path | None = None
    images: int = 8
    threads: tuple[int, ...] = (1,)
    repeats: int = 20
    copies: int = 32
    signed: bool = False
    seed: int = 0
    only: tuple[str, ...] = ()


def race(images: np.ndarray, entry: Race, arguments: Arguments, threads: int) -> dict[str, Any]:
    """Seconds per image of both sides and their ratio, at the race's PSNR."""
    settings = PUBLISHED[entry.settings]
    theirs = time_published(images, settings, entry.target_psnr, threads, arguments.seed)
    level = min(entry.target_psnr, theirs["psnr_median"])
    ours = time_ours(images, settings.num_splats, level, threads, arguments)
    ratio = theirs["seconds_per_image"] / ours["seconds_per_image"]
    return {
        **asdict(entry), "num_splats": settings.num_splats, "images": len(images), "threads": threads,
        "published": theirs, "ours": ours, "level_psnr": level, "ratio": ratio if ours["reached"] else None,
    }  # fmt: skip


def time_published(
    images: np.ndarray, settings: PublishedSettings, target: float, threads: int, seed: int
) -> dict[str, Any]:
    """Run until the median PSNR of `images` reaches `target`; all of the time until then."""
    torch.set_num_threads(threads)
    fit_published(images, settings, iterations=2, seed=seed)
    stamps = [time.perf_counter()]

    def reached(_: int, psnr: np.ndarray) -> bool:
        stamps.append(time.perf_counter())
        return float(np.median(psnr)) >= target

    fit = fit_published(images, settings, seed=seed, callback=reached)
    steps = np.diff(stamps)[1:]  # the first is the start and a picture
    return {
        "seconds_per_image": (stamps[-1] - stamps[0]) / len(images),
        "reached": float(np.median(fit.psnr)) >= target,
        "psnr_median": float(np.median(fit.psnr)),
        "psnr": fit.psnr.tolist(),
        "iterations": len(steps),
        "seconds_per_image_and_step_median": statistics.median(steps.tolist()) / len(images) if len(steps) else None,
        "settings": asdict(settings),
    }


def time_ours(images: np.ndarray, splats: int, target: float, threads: int, arguments: Arguments) -> dict[str, Any]:
    """Median time of the fewest iterations whose median PSNR reaches `target`."""
    for iterations in LADDER:
        encoder = make_encoder(images.shape[1], num_splats=splats, iterations=iterations, signed=arguments.signed)
        psnr = encoder.encode(images, threads=threads).psnr.numpy()
        if np.median(psnr) >= target:
            break
    many = np.tile(images, (arguments.copies, 1, 1, 1))
    seconds = []
    for _ in range(arguments.repeats):
        started = time.perf_counter()
        encoder.encode(many, threads=threads)
        seconds.append((time.perf_counter() - started) / len(many))
    return {
        "seconds_per_image": statistics.median(seconds),
        "seconds_per_image_range": [min(seconds), max(seconds)],
        "reached": bool(np.median(psnr) >= target),
        "psnr_median": float(np.median(psnr)),
        "psnr": psnr.tolist(),
        "copies": arguments.copies,
        "repeats": arguments.repeats,
        "settings": encoder.settings.to_dict(),
    }


def reprint(images: np.ndarray, entry: Reprint, seed: int) -> dict[str, Any]:
    """The PSNR of the paper's encoder, with the constants we had to choose."""
    settings = PUBLISHED["paper"]
    started = time.perf_counter()
    fit = fit_published(images, settings, seed=seed)
    return {
        **asdict(entry), "images": len(images), "psnr_mean": float(fit.psnr.mean()),
        "psnr_median": float(np.median(fit.psnr)), "psnr": fit.psnr.tolist(),
        "seconds_per_image": (time.perf_counter() - started) / len(images), "threads": torch.get_num_threads(),
        "settings": asdict(settings),
    }  # fmt: skip


def main(arguments: Arguments) -> None:
    # Before the first thread is born: far tails of dense Gaussians are denormal numbers, slow on CPUs.
    torch.set_flush_denormal(True)
    wanted = lambda entry: not arguments.only or entry.data in arguments.only  # noqa: E731 (used twice below)
    races, reprints = [], []
    for entry in filter(wanted, RACES):
        images = random_images(entry.data, arguments.images, arguments.seed, arguments.data_dir)
        for threads in arguments.threads:
            races.append(race(images, entry, arguments, threads))
            print(race_line(races[-1]))
    torch.set_num_threads(max(arguments.threads))
    for entry in filter(wanted, REPRINTS):
        images = random_images(entry.data, arguments.images, arguments.seed, arguments.data_dir)
        reprints.append(reprint(images, entry, arguments.seed))
        row = reprints[-1]
        print(f"{row['data']}: the paper's encoder reaches {row['psnr_mean']:.1f} dB; printed {row['printed_psnr']} dB")
    record = {
        "races": races, "reprints": reprints, "seed": arguments.seed,
        "excluded": "compilation, and the first call of either side",
        "published_code": "gaussiandiffusion.published.encoders",
        "machine": machine_words(), "versions": library_versions(),
    }  # fmt: skip
    write_json(arguments.out, record)


def race_line(row: dict[str, Any]) -> str:
    """A race in one line."""
    sides = ", ".join(
        f"{side} {1000 * row[side]['seconds_per_image']:.3g} ms an image ({row[side]['psnr_median']:.1f} dB)"
        for side in ("published", "ours")
    )
    ratio = "ours did not get there" if row["ratio"] is None else f"{row['ratio']:,.0f}x"
    return f"{row['data']} at {row['target_psnr']} dB, {row['threads']} thread(s): {sides}; {ratio}"


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
