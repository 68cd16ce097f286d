"""A training of minutes on colour pictures, as `gaussiandiffusion train` would do it, and how its loss falls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.figures import Entry, Figure
from benchmarks.gpu.pictures import Pictures, training_pictures
from benchmarks.gpu.recipe import Size, folder_of, recipe, size_of
from benchmarks.gpu.setting import Setting
from benchmarks.gpu.steps import TARGET
from gaussiandiffusion.data import load_images
from gaussiandiffusion.encoding import learn_template, make_encoder
from gaussiandiffusion.encoding.settings import default_settings
from gaussiandiffusion.encoding.template import ROUNDS

LONGEST = 2.5  # minutes, unless told
QUICK_MINUTES = 0.05
LATE = 5.0  # seconds by which it may be longer
AFTERWARDS = 15.0  # seconds for saving and counting when the training has ended
SHARE = 0.25  # of what is left that may go into encoding
MOST, QUICK_MOST = 50_000, 64  # images
TRIED, QUICK_TRIED = 256, 8  # images whose encoding is timed, to know how many can be
TEMPLATE_IMAGES, FEWEST = 512, 32  # of a round


def learning(setting: Setting) -> Iterator[Entry]:
    """Encode, train, and read the log."""
    from gaussiandiffusion.evaluation.cost.flops import training_flops
    from gaussiandiffusion.training.latents import load_training_set
    from gaussiandiffusion.training.metrics import read_metrics
    from gaussiandiffusion.training.trainer import Trainer

    size = size_of(setting.quick)
    pictures = training_pictures(
        setting.data_dir, QUICK_MOST if setting.quick else MOST, setting.seed, setting.scratch
    )  # fmt: skip
    template, count, rate = _template(setting, size, pictures)
    started = time.perf_counter()
    plain = recipe(
        size, pictures, setting.seed, start=f"template:{template}", limit=count, log_every=2 if setting.quick else 20
    )  # fmt: skip
    data = load_training_set(plain, pictures.data_dir)
    encoded = time.perf_counter() - started
    yield Figure(
        "canonical encoding, all cores", len(data) / encoded, "images/s", rate=True,
        detail={"images": len(data), "of": pictures.words, "psnr_mean": data.psnr, "tried": rate},
    )  # fmt: skip
    minutes = _minutes(setting)
    budget = replace(plain.optimiser, budget=f"{minutes:.4f}")
    folder = folder_of(setting.training_dir, setting.scratch, "learning")
    trainer = Trainer(replace(plain, optimiser=budget), data, folder, setting.device.type)
    trainer.train(until=time.perf_counter() + 60 * minutes + LATE)
    lines = read_metrics(folder / "metrics.jsonl")
    if not lines:
        raise RuntimeError(f"the training ended at step {trainer.step}, before it wrote a line")
    flops = training_flops(trainer.model, data.representation)
    best = setting.rates.of_products("bfloat16") / flops
    speed = float(np.median([line.samples_per_second for line in lines]))
    detail: dict[str, Any] = {
        "of": pictures.words, "minutes": minutes, "steps": trainer.step, "batch": size.batch,
        "samples_seen": trainer.step * size.batch, "network": size.network, "num_splats": size.splats,
        "curve": [[line.step, line.loss] for line in lines],
    }  # fmt: skip
    yield Figure(
        "training", speed, "samples/s", rate=True, ceiling=best, limit="bfloat16 products", target=TARGET,
        detail=detail,
    )  # fmt: skip
    losses = [line.loss for line in lines if line.loss is not None]
    few = max(1, len(losses) // 10)
    yield Figure("loss at the beginning", losses[0], "", detail={"steps": lines[0].step})
    yield Figure("loss at the end", float(np.mean(losses[-few:])), "", detail={"lines": few})


def _minutes(setting: Setting) -> float:
    """Of the training alone: what was asked for, or what is left."""
    if setting.minutes is not None:
        return setting.minutes
    if setting.quick:
        return QUICK_MINUTES
    return max(0.1, min(LONGEST, (setting.deadline.left - AFTERWARDS) / 60))


def _template(setting: Setting, size: Size, pictures: Pictures) -> tuple[Path, int, float]:
    """A template's file, how many images there is time to encode, and how many a second were in a trial."""
    images = load_images(pictures.source, split="train", data_dir=pictures.data_dir, limit=MOST).images
    seconds = SHARE * setting.deadline.left / 2  # for the template, and as much again for the images
    settings = default_settings(images.shape[1], num_splats=size.splats, start="template", iterations=size.iterations)
    tried = images[: QUICK_TRIED if setting.quick else TRIED]
    trial = make_encoder(images.shape[1], num_splats=size.splats, iterations=settings.iterations)
    trial.encode(tried[:8])  # compiles
    started = time.perf_counter()
    trial.encode(tried)
    rate = len(tried) / (time.perf_counter() - started)
    rounds = 2 if setting.quick else ROUNDS
    each = int(min(TEMPLATE_IMAGES, max(FEWEST, rate * seconds / rounds)))
    template = learn_template(
        images, settings, rounds=rounds, images_per_round=min(each, len(images)), seed=setting.seed
    )
    path = setting.scratch / "template.safetensors"
    template.save(path, encoder=settings.to_dict() | {"rounds": rounds, "seed": setting.seed})
    return path, int(min(len(images), max(size.batch, rate * seconds))), rate
