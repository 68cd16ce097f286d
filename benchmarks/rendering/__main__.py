"""The renderer's speed, by sections; every figure a median with compilation excluded.

    python -m benchmarks.rendering --data-dir DIR

* ratio: the fused kernel against the dense reference, forward and through autograd, in one run.
* peak: the kernel's share of a core's floating-point rate (`benchmarks.rendering.peak`).
* scaling: cost against the summed footprint, for pictures of 128 to 2048 pixels and 1,000 to 20,000 splats.
* any-size: one set drawn at growing sizes.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro

from benchmarks.shared.inputs import NAMES, random_images, random_splats, strokes
from benchmarks.shared.sections import results_file, run_sections
from benchmarks.shared.threads import one_thread
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.evaluation.cost.timing import median_seconds
from gaussiandiffusion.rendering import Backend, accumulate
from gaussiandiffusion.splats import Canvas, Splats

SPLATS = 70
CUTOFF = 3.5
USUAL = 16  # pixels of the picture a splat; photographs of 768x512 with 20,000 splats have 20


@dataclass(frozen=True)
class Extent:
    """How much to measure.

    Args:
        images: sets that the kernel draws for "ratio".
        reference_images: those that the reference draws; its cost an image does not depend on how many they are.
        peak_sets: different sets for "peak".
        sizes, counts: longer sides and numbers of splats for "scaling".
        pixels: footprints to draw in one timed call for "scaling"; small pictures are drawn several at a time, so that
            the cost of a call does not count as theirs.
    """

    images: int = 10_000
    reference_images: int = 512
    peak_sets: int = 2_000
    sizes: tuple[int, ...] = (128, 256, 512, 1024, 2048)
    counts: tuple[int, ...] = (1_000, 2_000, 5_000, 10_000, 20_000)
    pixels: int = 10_000_000
    repeats: int = 9


QUICK = Extent(
    images=1_000,
    reference_images=64,
    peak_sets=500,
    sizes=(128, 512),
    counts=(1_000, 5_000),
    pixels=2_000_000,
    repeats=3,
)


@dataclass(frozen=True)
class Arguments:
    """Time the renderer.

    Args:
        out: JSON file; sections are merged into it. Default: benchmarks/results/rendering.json, with `quick`
            out/rendering.json.
        data: the data set whose encoded test images are drawn.
        data_dir: folder with its files; default: none, and drawn strokes instead of its images.
        only: sections to run; default: all.
        quick: small settings, to see that it works.
        threads: default: torch's number.
    """

    out: Path | None = None
    data: str = "mnist"
    data_dir: Path | None = None
    only: tuple[Literal["ratio", "peak", "scaling", "any-size"], ...] = ()
    quick: bool = False
    threads: int | None = None
    seed: int = 0


def encoded_sets(arguments: Arguments, count: int) -> Splats:
    """Sets of random test images, or of strokes."""
    if arguments.data_dir is None:
        images = strokes(count, 28, arguments.seed)
    else:
        images = random_images(arguments.data, count, arguments.seed, arguments.data_dir)
    images = images[np.random.default_rng(arguments.seed).permutation(len(images))]  # any part is a fair one
    return make_encoder(images.shape[1], num_splats=SPLATS).encode(images).splats


def differentiate(splats: Splats, cutoff: float | None, backend: Backend) -> None:
    """Forward and backward of the sum of squared pixels, through autograd, with respect to every parameter."""
    leaves = [t.clone().requires_grad_() for t in (splats.means, splats.sigmas, splats.rhos, splats.colors)]
    accumulate(Splats(*leaves, splats.canvas), cutoff=cutoff, backend=backend).square().sum().backward()


def ratio(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kernel, with and without a cut-off, against reference."""
    splats = encoded_sets(arguments, extent.images)
    few = splats[: extent.reference_images]
    sides: dict[str, tuple[Splats, float | None, Backend]] = {
        "reference": (few, None, "reference"), "kernel": (splats, CUTOFF, "cpu"), "kernel_exact": (splats, None, "cpu")
    }  # fmt: skip
    works: dict[str, Callable[[], object]] = {}
    for name, (sets, cutoff, backend) in sides.items():
        works[f"{name} forward"] = partial(accumulate, sets, cutoff=cutoff, backend=backend)
        works[f"{name} both"] = partial(differentiate, sets, cutoff, backend)
    seconds = median_seconds(works, extent.repeats)
    result: dict[str, Any] = {
        "source": source(arguments),
        "images": {name: len(sets) for name, (sets, _, _) in sides.items()},
        "num_splats": SPLATS,
        "cutoff": CUTOFF,
        "size": (splats.canvas.height, splats.canvas.width),
        "repeats": extent.repeats,
    }
    for name, (sets, _, _) in sides.items():
        result[name] = {kind: seconds[f"{name} {kind}"] / len(sets) for kind in ("forward", "both")}
    for name in ("kernel", "kernel_exact"):
        result[name]["ratio"] = {kind: result["reference"][kind] / result[name][kind] for kind in ("forward", "both")}
    yield "sets", result


def peak(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Share of a core's floating-point rate, one thread."""
    from benchmarks.rendering.peak import kernel_share

    splats = encoded_sets(arguments, extent.peak_sets)
    yield "sets", {"source": source(arguments)} | kernel_share(splats, CUTOFF, extent.repeats)
    # A tile of a photograph with 40 pixels to a splat.
    tiles = random_splats(extent.peak_sets, 100, Canvas(64, 64), arguments.seed)
    yield "tiles", {"source": "random splats"} | kernel_share(tiles, CUTOFF, extent.repeats)


def scaling(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Core-nanoseconds a pixel inside a splat's box, for pictures and sets of growing size.

    `spread` is the largest over the smallest of these; `usual_spread` leaves out sets of so many splats that their
    boxes are smaller than a vector, whose cost is that of vectors.
    """
    rows = []
    for size, count in itertools.product(extent.sizes, extent.counts):
        canvas = Canvas(size, size, 3)
        single = footprint(random_splats(1, count, canvas, arguments.seed))
        sets = math.ceil(extent.pixels / single)
        splats = random_splats(sets, count, canvas, arguments.seed)
        works = {
            "forward": partial(accumulate, splats, cutoff=CUTOFF, backend="cpu"),
            "both": partial(differentiate, splats, CUTOFF, "cpu"),
        }
        with one_thread():
            seconds = median_seconds(works, extent.repeats, time.process_time)
        row = {"size": size, "num_splats": count, "sets": sets, "footprint": footprint(splats) / sets}
        for kind, value in seconds.items():
            row[f"{kind}_milliseconds"] = 1e3 * value / sets
            row[f"{kind}_nanoseconds_per_pixel"] = 1e9 * value / sets / row["footprint"]
        rows.append(row)
    usual = [row for row in rows if row["size"] ** 2 >= USUAL * row["num_splats"]]
    result = {"rows": rows, "usual_pixels_per_splat": USUAL, "cutoff": CUTOFF, "channels": 3, "repeats": extent.repeats}
    for kind in ("forward", "both"):
        for name, chosen in (("spread", rows), ("usual_spread", usual)):
            costs = [row[f"{kind}_nanoseconds_per_pixel"] for row in chosen]
            result[f"{kind}_{name}"] = max(costs) / min(costs)
    yield "random", result


def footprint(splats: Splats) -> int:
    """Pixels of the canvas inside the splats' boxes, summed over all splats."""
    from gaussiandiffusion.rendering.cpu.accumulate import to_pixels

    canvas = splats.canvas
    mx, my, a, b, d = to_pixels(splats, canvas).unbind(-1)
    reach = CUTOFF / (a * d)
    sides = []
    for mean, distance, length in ((mx, reach * b.hypot(d), canvas.width), (my, reach * a, canvas.height)):
        first, last = (mean - distance).ceil().clamp(min=0), (mean + distance).floor().clamp(max=length - 1)
        sides.append((last - first + 1).clamp(min=0))
    return int((sides[0] * sides[1]).double().sum())


def any_size(arguments: Arguments, extent: Extent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Milliseconds to draw one set at growing sizes."""
    splats = encoded_sets(arguments, 1)
    rows = []
    for size in (28, 56, 112, 224, 512, 1024, 2048):
        work = {"draw": partial(accumulate, splats, size, cutoff=CUTOFF, backend="cpu")}
        rows.append({"size": size, "milliseconds": 1e3 * median_seconds(work, 3 * extent.repeats)["draw"]})
    yield "set", {
        "source": source(arguments), "num_splats": SPLATS, "cutoff": CUTOFF, "repeats": 3 * extent.repeats, "rows": rows
    }  # fmt: skip


def source(arguments: Arguments) -> str:
    """What the sets show."""
    return "drawn strokes" if arguments.data_dir is None else f"{NAMES.get(arguments.data, arguments.data)} test images"


def main(arguments: Arguments) -> None:
    # Before the first thread is born: far tails of dense Gaussians are denormal numbers, slow on CPUs.
    torch.set_flush_denormal(True)
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    extent = QUICK if arguments.quick else Extent()
    measures = {"ratio": ratio, "peak": peak, "scaling": scaling, "any-size": any_size}
    sections = {name: partial(measure, arguments, extent) for name, measure in measures.items()}
    out = arguments.out or results_file("rendering", arguments.quick)
    run_sections(out, sections, arguments.only, quick=arguments.quick, seed=arguments.seed)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
