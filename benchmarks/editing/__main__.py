"""Measure edits by a bundled model; merges into benchmarks/results/editing.json: python -m benchmarks.editing.

Judged by the bundled features' classifier, or by another (`--judge DIR`, see `benchmarks.bundled`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.editing.seam import told_apart
from benchmarks.shared.sections import SectionArguments, results_file, run_sections
from gaussiandiffusion import edit
from gaussiandiffusion.data import load_images
from gaussiandiffusion.edit.inpainting import ROUNDS
from gaussiandiffusion.evaluation import load_features
from gaussiandiffusion.evaluation.measures.accuracy import Classifier, verdicts
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput
from gaussiandiffusion.splats import Splats

UPPER_HALF = "inside(-1,-1,1,0)"
STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
OF_REAL = (0.3, 0.6)


@dataclass(frozen=True, kw_only=True)
class Arguments(SectionArguments):
    """Measure edits."""

    model: str = "mnist"
    judge: str = "mnist"
    """Features whose classifier judges, by name or folder."""
    num: int = 1000
    rounds: tuple[int, ...] = (ROUNDS,)
    """Times that inpainting takes each step, one row each."""
    epochs: int = 12
    """Of the classifier that looks for a seam."""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Bench:
    """What all sections share."""

    arguments: Arguments
    pipe: GaussianDiffusion
    judge: Classifier

    def samples(self, count: int, seed: int) -> tuple[Splats, Tensor, np.ndarray]:
        """Whole samples in random order of their classes: sets, labels, and pictures as saved."""
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)) % self.pipe.num_classes
        out = self.pipe(num_samples=count, class_labels=order, seed=seed)
        assert out.splats is not None
        return out.splats, order, pixels(out)

    def share(self, images: np.ndarray, labels: Tensor) -> float:
        """Of images in which the judge sees the label."""
        return float((verdicts(self.judge, images)[:, 0] == labels.numpy()).mean())

    def inpainting(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Upper halves kept: are they, are the digits the asked ones, and is there a seam?"""
        num, seed = self.arguments.num, self.arguments.seed
        count = num * 3 // 2  # two thirds to train the classifier on
        given, labels, before = self.samples(count, seed + 1)
        _, _, whole = self.samples(count, seed + 2)
        keep = edit.select(given, UPPER_HALF)
        yield (
            "controls",
            {
                "whole_from_whole": self.told(whole, before),
                "pasted_from_whole": self.told(whole, pixels_of(self.pipe, pasted(given, labels, keep))),
                "label_accuracy_whole": self.share(before, labels),
            },
        )
        for rounds in self.arguments.rounds:
            started = time.perf_counter()
            out = edit.inpaint(self.pipe, given, keep, seed=seed, rounds=rounds, class_labels=labels)
            seconds = time.perf_counter() - started
            part = slice(num // 5)
            free = edit.inpaint(self.pipe, given[part], keep[part], seed=seed, rounds=rounds)
            assert out.splats is not None
            yield (
                f"rounds {rounds}",
                {
                    "rounds": rounds,
                    "kept_identical": identical(given, out.splats, keep),
                    "kept_share": float(keep.float().mean()),
                    "label_accuracy": self.share(pixels(out)[:num], labels[:num]),
                    "label_accuracy_left_open": self.share(pixels(free), labels[part]),
                    "seam": self.told(whole, pixels(out)),
                    "seconds_per_image": seconds / len(given),
                },
            )

    def told(self, whole: np.ndarray, others: np.ndarray) -> dict[str, float | int]:
        return told_apart(whole, others, epochs=self.arguments.epochs)

    def variation(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """How much pictures change, and whether they stay what they were, by strength; samples and real digits."""
        num, seed = self.arguments.num, self.arguments.seed
        drawn, labels, _ = self.samples(num, seed + 1)
        real = load_images("mnist", split="test", data_dir=self.arguments.data_dir, limit=num)
        assert real.labels is not None
        encoded = edit.encoded_anew(self.pipe, real.images)
        kinds = ("samples", drawn, labels, STRENGTHS), ("real", encoded, torch.from_numpy(real.labels), OF_REAL)
        for name, sets, known, strengths in kinds:
            before = pixels_of(self.pipe, sets).astype(np.int16)
            for strength in strengths:
                out = pixels(edit.vary(self.pipe, sets, strength, seed, class_labels=known))
                yield (
                    f"{name}, {strength:g}",
                    {
                        "strength": strength,
                        "same_class": self.share(out, known),
                        "mean_change": float(np.abs(out - before).mean() / 255),
                    },
                )
            free = pixels(edit.vary(self.pipe, sets, OF_REAL[0], seed))
            yield f"{name}, left open", {"strength": OF_REAL[0], "same_class": self.share(free, known)}

    def returning(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Real digits to their noise and back, as they were and as another."""
        num = min(self.arguments.num, 200)
        real = load_images("mnist", split="test", data_dir=self.arguments.data_dir, limit=num)
        assert real.labels is not None
        sets, labels = edit.encoded_anew(self.pipe, real.images), torch.from_numpy(real.labels)
        before, other = pixels_of(self.pipe, sets), (labels + 1 + torch.arange(num) % 9) % 10
        own = {"class_labels": labels}
        back = edit.transfer(self.pipe, sets, own=own, class_labels=labels, guidance_scale=1.0)
        error = ((pixels(back).astype(np.float64) - before) / 255) ** 2
        psnr = -10 * np.log10(error.reshape(num, -1).mean(1))
        moved = edit.transfer(self.pipe, sets, own=own, class_labels=other)
        yield (
            "real",
            {"psnr_back_median": float(np.median(psnr)), "num": num, "as_asked": self.share(pixels(moved), other)},
        )


def pixels(out: GaussianDiffusionOutput) -> np.ndarray:
    """Pictures as saved."""
    return to_uint8(out.images).numpy()


def pixels_of(pipe: GaussianDiffusion, sets: Splats) -> np.ndarray:
    """Sets drawn as pictures are saved."""
    return to_uint8(pipe.representation.draw(sets)).numpy()


def identical(before: Splats, after: Splats, keep: Tensor) -> bool:
    """Whether every kept splat has the bits it had."""
    pairs = ((value, after.tensors()[name]) for name, value in before.tensors().items() if name != "background")
    return all(torch.equal(one[keep], other[keep]) for one, other in pairs)


def pasted(sets: Splats, labels: Tensor, keep: Tensor) -> Splats:
    """The kept splats of each, the rest of another of its class: what a seam looks like."""
    other = torch.empty_like(labels)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        other[places] = places.roll(1)

    def halves(name: str) -> Tensor:
        value = sets.tensors()[name]
        return torch.where(keep if value.ndim == 2 else keep[..., None], value, value[other])

    values: dict[str, Any] = {name: halves(name) for name in ("means", "sigmas", "rhos", "colors")}
    return replace(sets, **values)


def main(arguments: Arguments) -> None:
    if arguments.quick:
        arguments = replace(arguments, num=64, epochs=2, rounds=(1,))
    pipe = GaussianDiffusion.from_pretrained(arguments.model)
    judge = load_features(arguments.judge).network
    bench = Bench(arguments, pipe, judge)
    out = arguments.out or results_file("editing", arguments.quick)
    sections = {"inpainting": bench.inpainting, "variation": bench.variation, "returning": bench.returning}
    settings = {"steps": pipe.config.num_inference_steps, "guidance": pipe.config.guidance_scale}
    run_sections(out, sections, arguments.only, model=arguments.model, judge=arguments.judge, num=arguments.num,
                 seed=arguments.seed, keep=UPPER_HALF, quick=arguments.quick, **settings)  # fmt: skip


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
