"""The encoder's speed and quality, by sections; compilation is excluded everywhere.

    python -m benchmarks.encoding --data-dir DIR
    python -m benchmarks.encoding --only photographs --photos FILE ...

* throughput: whole training splits, encoded to files, each in a process of its own (`benchmarks.encoding.throughput`).
* splats: PSNR against the number of splats, at several numbers of iterations.
* iterations: PSNR against iterations at each data set's usual number of splats.
* starts: the starts at equal splats and iterations, and how alike the sets of like images are
  (`benchmarks.encoding.consistency`); canonical settings against their targets.
* colours: non-negative against signed.
* photographs: PSNR and seconds of large pictures; many: of the same with more splats.

Images are a random part of the test split, by the seed. Core-milliseconds are processor time on one thread.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from benchmarks.encoding.consistency import measure
from benchmarks.shared.inputs import random_images
from benchmarks.shared.sections import ROOT, results_file, run_sections
from gaussiandiffusion.data import load_images
from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template, make_encoder

USUAL_SPLATS = {"mnist": 70, "sprites": 150, "cifar10": 200}
THROUGHPUTS = (("mnist", None), ("mnist", 40.0), ("cifar10", None))  # data set and PSNR asked for


@dataclass(frozen=True)
class Canonical:
    """What canonical sets must reach: PSNR in dB at least; noise and ratio of `Consistency` at most."""

    psnr: float
    noise: float
    ratio: float | None


PhotoFit = tuple[int, int | None, Literal["start", "error"] | None]
CANONICAL = {"mnist": Canonical(36.0, 0.12, 0.55), "cifar10": Canonical(36.0, 0.10, None)}


@dataclass(frozen=True)
class Extent:
    """How much to measure; on two cores, ten minutes in all.

    Args:
        limit: images of a data set to encode for "throughput"; None: all.
        images, alike: random test images for PSNR, and for "starts".
        rounds: of learning a template.
        splats, splat_iterations: for "splats".
        iterations: for "iterations".
        start_iterations, color_iterations: for "starts" and "colours".
        photo_fits, many: splats, iterations and allocation for "photographs" and "many"; None: as by default.
    """

    limit: int | None = None
    images: int = 192
    alike: int = 1_000
    rounds: int = 25
    splats: tuple[int, ...] = (16, 32, 48, 70, 100, 150, 200, 300, 500)
    splat_iterations: tuple[int, ...] = (20, 60, 200, 600)
    iterations: tuple[int, ...] = (5, 10, 16, 25, 40, 60, 100, 160, 250, 400, 800)
    start_iterations: tuple[int, ...] = (40,)
    color_iterations: tuple[int, ...] = (20, 40, 120, 400)
    photo_fits: tuple[PhotoFit, ...] = ((10_000, 100, "start"), (10_000, 400, "start"), (10_000, None, None))
    many: tuple[PhotoFit, ...] = ((30_000, None, None), (70_000, None, None))


QUICK = Extent(
    limit=2_000, images=24, alike=200, rounds=4, splats=(16, 70, 200, 500), splat_iterations=(20, 100),
    iterations=(5, 10, 20, 40, 100), start_iterations=(40,), color_iterations=(20, 100),
    photo_fits=((2_000, 50, "start"), (2_000, 50, "error")), many=((4_000, 50, "start"),),
)  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """Measure the encoder.

    Args:
        out: JSON file; sections are merged into it. Default: benchmarks/results/encoding.json, with `quick`
            out/encoding.json.
        data: data sets to measure on.
        data_dir: folder with their files; default: the cache, filled by downloading.
        photos: image files for "photographs" and "many".
        only: sections to run; default: all.
        quick: small settings, to see that it works.
    """

    out: Path | None = None
    data: tuple[Literal["mnist", "sprites", "cifar10"], ...] = ("mnist", "sprites", "cifar10")
    data_dir: Path | None = None
    photos: tuple[Path, ...] = ()
    only: tuple[Literal["throughput", "splats", "iterations", "starts", "colours", "photographs", "many"], ...] = ()
    quick: bool = False
    seed: int = 0


def throughput(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whole data sets; one process each, so that its memory is its own."""
    for name, target in THROUGHPUTS:
        if name not in arguments.data:
            continue
        command = [sys.executable, "-m", "benchmarks.encoding.throughput", name, "--splats", str(USUAL_SPLATS[name])]
        optional = {"--target-psnr": target, "--data-dir": arguments.data_dir, "--limit": extent.limit}
        for option, value in optional.items():
            if value is not None:
                command += [option, str(value.resolve() if isinstance(value, Path) else value)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        yield name if target is None else f"{name} at {target:g} dB", json.loads(done.stdout.splitlines()[-1])


def splats(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """PSNR and cost for every number of splats and of iterations."""
    for name, images in test_images(arguments, extent):
        pairs = itertools.product(extent.splats, extent.splat_iterations)
        yield name, {"images": len(images), "rows": [fit_row(images, *pair) for pair in pairs]}


def iterations(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """PSNR and cost for every number of iterations."""
    for name, images in test_images(arguments, extent):
        rows = [fit_row(images, USUAL_SPLATS[name], steps) for steps in extent.iterations]
        yield name, {"images": len(images), "num_splats": USUAL_SPLATS[name], "rows": rows}


def colours(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Non-negative and signed colours."""
    for name, images in test_images(arguments, extent):
        pairs = itertools.product(extent.color_iterations, (False, True))
        rows = [fit_row(images, USUAL_SPLATS[name], steps, signed) for steps, signed in pairs]
        yield name, {"images": len(images), "num_splats": USUAL_SPLATS[name], "rows": rows}


def fit_row(images: np.ndarray, num_splats: int, steps: int, signed: bool = False) -> dict[str, Any]:
    """PSNR and core-milliseconds an image of the tuned settings."""
    encoder = make_encoder(images.shape[1], num_splats=num_splats, iterations=steps, signed=signed)
    started = time.process_time()
    psnr = encoder.encode(images, threads=1).psnr.numpy()
    seconds = time.process_time() - started
    return {
        "splats": num_splats,
        "iterations": steps,
        "signed": signed,
        "psnr_mean": float(psnr.mean()),
        "psnr_p10": float(np.percentile(psnr, 10)),
        "core_milliseconds": 1e3 * seconds / len(images),
    }


def starts(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Starts at equal splats and iterations; among them the canonical settings, a template's usual iterations."""
    for name in arguments.data:
        if name not in CANONICAL:
            continue
        images = random_images(name, extent.alike, arguments.seed, arguments.data_dir)
        train = load_images(name, split="train", data_dir=arguments.data_dir).images
        usual = default_settings(images.shape[1], num_splats=USUAL_SPLATS[name], start="template").iterations
        pairs = [(start, steps) for steps in extent.start_iterations for start in ("hilbert", "grid", "template")]
        rows = []
        for start, steps in dict.fromkeys([*pairs, ("template", usual)]):
            settings = default_settings(images.shape[1], num_splats=USUAL_SPLATS[name], start=start, iterations=steps)
            template = None
            if start == "template":
                template = learn_template(train, settings, rounds=extent.rounds, seed=arguments.seed)
            found = measure(FitEncoder(settings, template), images, seed=arguments.seed)
            row = {"start": start, "iterations": steps, "canonical": (start, steps) == ("template", usual)}
            rows.append(row | asdict(found) | {"ratio": found.ratio, "settings": settings.to_dict()})
        target = CANONICAL[name]
        row = next(row for row in rows if row["canonical"])
        reached = row["psnr"] >= target.psnr and row["noise"] <= target.noise
        reached = reached and (target.ratio is None or row["ratio"] <= target.ratio)
        yield name, {
            "images": len(images), "num_splats": USUAL_SPLATS[name], "template_rounds": extent.rounds, "rows": rows,
            "canonical_target": asdict(target), "canonical_reached": reached,
        }  # fmt: skip


def photographs(fits: tuple[PhotoFit, ...], arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Large pictures, all threads."""
    for path in arguments.photos:
        image = load_images(path).images
        make_encoder(image.shape[1], num_splats=1_000, iterations=2, allocate="error").encode(image)
        rows = []
        for count, steps, allocate in fits:
            encoder = make_encoder(
                image.shape[1],
                num_splats=count,
                iterations=steps,
                allocate=allocate,
                pixels=image.shape[2] * image.shape[3],
            )
            started = time.perf_counter(), time.process_time()
            psnr = float(encoder.encode(image).psnr[0])
            seconds, core = time.perf_counter() - started[0], time.process_time() - started[1]
            rows.append(
                {
                    "splats": count,
                    "iterations": encoder.settings.iterations,
                    "allocate": encoder.settings.allocate,
                    "psnr": psnr,
                    "seconds": seconds,
                    "core_seconds": core,
                }
            )
        yield path.stem, {"height": image.shape[2], "width": image.shape[3], "rows": rows}


def test_images(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, np.ndarray]]:
    """Every data set's images, the encoder compiled for them."""
    for name in arguments.data:
        images = random_images(name, extent.images, arguments.seed, arguments.data_dir)
        make_encoder(images.shape[1], iterations=2).encode(images[:2])
        yield name, images


def main(arguments: Arguments) -> None:
    extent = QUICK if arguments.quick else Extent()
    measures = {
        "throughput": throughput, "splats": splats, "iterations": iterations, "starts": starts, "colours": colours,
    }  # fmt: skip
    sections = {name: partial(measure, arguments, extent) for name, measure in measures.items()}
    sections |= {
        "photographs": partial(photographs, extent.photo_fits, arguments),
        "many": partial(photographs, extent.many, arguments),
    }
    out = arguments.out or results_file("encoding", arguments.quick)
    run_sections(out, sections, arguments.only, quick=arguments.quick, seed=arguments.seed)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
