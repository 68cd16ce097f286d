"""Splats an image, compression and PSNR, as in the first table of the paper, for all data sets and both kinds of sets.

    python -m benchmarks.compression --data-dir DIR

Images are a random part of the test split, encoded with default settings; templates of the canonical sets are learned
in the run from the train split. Numbers are counted as they are stored: five of geometry and one a channel for each
splat, against one a channel for each pixel. A splat's numbers are float32, a pixel's 8-bit, so that in bytes the splats
are four times worse off than in numbers; both are recorded.

Source: Coessens & Samal, "GaussianDiffusion: Learning Image Generation Process in GaussianRepresentation Space", SP4V
workshop at ICCV 2025, table 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import tyro

from benchmarks.compression.counts import counts
from benchmarks.shared.inputs import random_images
from benchmarks.shared.sections import Section, SectionArguments, results_file, run_sections
from gaussiandiffusion.data import open_images
from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template
from gaussiandiffusion.splats import Splats

PAPER = 150  # splats
SPLATS = {  # of the paper, of its follow-up where that is another, and of our models, now and before
    "mnist": (24, 70, PAPER),
    "fashion-mnist": (48, 96, PAPER),
    "sprites": (80, 128, PAPER),
    "sprites64": (PAPER,),
    "cifar10": (128, PAPER, 500),
}
POOL = 20_000  # train images, drawn at random, that templates are learned from


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Measure compression and PSNR."""

    data: tuple[str, ...] = tuple(SPLATS)
    kinds: tuple[Literal["canonical", "hilbert"], ...] = ("canonical", "hilbert")
    num: int = 2_000
    """Test images of each data set."""
    seed: int = 0


def measured(name: str, arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of one data set, one for each K and kind of sets."""
    num, rounds = (50, 2) if arguments.quick else (arguments.num, 25)
    images = random_images(name, num, arguments.seed, arguments.data_dir)
    pool = None
    for splats in SPLATS[name]:
        for kind in arguments.kinds:
            template = None
            if kind == "canonical":
                pool = train_images(name, arguments) if pool is None else pool
                template = learned(pool, splats, rounds)
            _, channels, height, width = images.shape
            start = "hilbert" if template is None else "template"
            settings = default_settings(channels, num_splats=splats, start=start, pixels=height * width)
            psnr = FitEncoder(settings, template).encode(images).psnr.double().numpy()
            row = {"splats": splats, "kind": kind, "iterations": settings.iterations, "images": len(images)}
            row |= counts(splats, height, width, channels)
            row |= {"psnr_mean": float(psnr.mean()), "psnr_p1": float(np.percentile(psnr, 1))}
            yield f"{splats} {kind}", row


def train_images(name: str, arguments: Arguments) -> np.ndarray:
    """A random part of the train split."""
    source = open_images(name, split="train", data_dir=arguments.data_dir)
    chosen = np.random.default_rng(arguments.seed).choice(len(source), min(len(source), POOL), replace=False)
    return source.take(np.sort(chosen)).images


def learned(images: np.ndarray, splats: int, rounds: int) -> Splats:
    """A template, as `encode --learn-template` learns it."""
    settings = default_settings(images.shape[1], num_splats=splats, start="template")
    return learn_template(images, settings, rounds=rounds)


def main(arguments: Arguments) -> None:
    sections: dict[str, Section] = {name: partial(measured, name, arguments) for name in arguments.data}
    out = arguments.out or results_file("compression", arguments.quick)
    run_sections(out, sections, arguments.only, quick=arguments.quick, seed=arguments.seed)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
