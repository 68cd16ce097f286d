"""Search encoder settings: a (1+1) evolution strategy over rates, betas and start.

python -m benchmarks.tune mnist --splats 70 --iterations 24 --out settings.json
python -m benchmarks.tune mnist --splats 70 --start template --iterations 150 --noise 0.12 --out settings.json

The figure sought is the mean PSNR on training images; with `--noise`, a slot's movement under one grey level of noise
beyond that costs `--noise-price` dB a hundredth of a deviation.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from benchmarks.encoding.consistency import measure
from gaussiandiffusion.data import load_images
from gaussiandiffusion.encoding import EncoderSettings, FitEncoder, default_settings, learn_template
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import machine_words
from gaussiandiffusion.splats import Splats

RATES = ("lr_mean", "lr_scale", "lr_shear", "lr_color", "lr_end")
SEARCHED = {
    "hilbert": ("beta1", "beta2", *RATES, "init_sigma", "density_gradient", "density_floor"),
    "grid": ("beta1", "beta2", *RATES, "init_sigma"),
    "template": ("beta1", "beta2", "epsilon", *RATES, "pull", "tolerance"),
}


@dataclass(frozen=True)
class Arguments:
    """Find settings for a data set, a number of splats and a number of steps."""

    data: tyro.conf.Positional[str]
    splats: int
    out: Path
    iterations: int = 40
    start: Literal["hilbert", "grid", "template"] = "hilbert"
    signed: bool = False
    noise: float | None = None
    noise_price: float = 0.5
    begin: tuple[str, ...] = ()
    """NAME=VALUE pairs to begin from instead of the defaults."""
    images: int = 96
    trials: int = 100
    minutes: float = 10.0
    seed: int = 0
    data_dir: Path | None = None


def mutated(settings: EncoderSettings, random: np.random.Generator, spread: float) -> EncoderSettings:
    """Settings with about half of the searched ones moved: by a factor, betas by the factor of 1 - beta."""
    changes = {}
    for name in SEARCHED[settings.start]:
        if random.random() < 0.5:
            factor = math.exp(spread * random.standard_normal())
            value = getattr(settings, name)
            changes[name] = 1 - min(0.9, (1 - value) * factor) if name.startswith("beta") else value * factor
    for name, most in (("lr_end", 1.0), ("tolerance", 4.0)):
        if name in changes:
            changes[name] = min(changes[name], most)
    return replace(settings, **changes)


def main(arguments: Arguments) -> None:
    started = time.perf_counter()
    random = np.random.default_rng(arguments.seed)
    pool = load_images(arguments.data, split="train", data_dir=arguments.data_dir).images
    images = pool[np.sort(random.choice(len(pool), min(arguments.images, len(pool)), replace=False))]
    settings = default_settings(
        images.shape[1],
        num_splats=arguments.splats,
        start=arguments.start,
        iterations=arguments.iterations,
        signed=arguments.signed,
    )
    settings = replace(settings, **{name: float(v) for name, v in (pair.split("=") for pair in arguments.begin)})
    template: Splats | None = None

    def score(settings: EncoderSettings, rounds: int) -> tuple[float, dict[str, float], Splats | None]:
        learned = None
        if arguments.start == "template":
            learned = learn_template(
                pool, settings, rounds=rounds, seed=arguments.seed, begin=template, images_per_round=192
            )
        encoder = FitEncoder(settings, learned)
        if arguments.noise is None:
            psnr = float(encoder.encode(images).psnr.mean())
            return psnr, {"psnr": psnr}, learned
        found = measure(encoder, images)
        cost = 100 * arguments.noise_price * max(0.0, found.noise - arguments.noise)
        return found.psnr - cost, {"psnr": found.psnr, "noise": found.noise, "ratio": found.ratio}, learned

    best, figures, template = score(settings, 12)
    spread, history = 0.3, [{"trial": 0, "score": best, **figures}]
    for trial in range(1, arguments.trials + 1):
        if time.perf_counter() - started > 60 * arguments.minutes:
            break
        candidate = mutated(settings, random, spread)
        reached, found, learned = score(candidate, 3)
        better = reached > best
        spread = max(0.05, min(0.6, spread * (1.3 if better else 0.95)))
        if better:
            best, figures, settings, template = reached, found, candidate, learned
            history.append({"trial": trial, "score": best, **figures})
            print(trial, {name: round(value, 3) for name, value in figures.items()}, flush=True)
            write_json(
                arguments.out,
                {
                    "settings": settings.to_dict(),
                    "figures": figures,
                    "history": history,
                    "data": arguments.data,
                    "images": len(images),
                    "seed": arguments.seed,
                    "machine": machine_words(),
                },
            )


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
