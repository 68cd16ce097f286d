"""Every kind of file that the program reads: a small original of each, and the call that a user reads it with."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import gaussiandiffusion as gd
from benchmarks.regression.image_files import (
    SIDE,
    make_arrays,
    make_coloured,
    make_faces,
    make_idx,
    make_packed_idx,
    make_parquet,
    make_pictures,
    make_sheets,
    make_zip,
    pictures,
)
from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.encoding import make_encoder, shards
from gaussiandiffusion.encoding.dataset import encode_dataset
from gaussiandiffusion.evaluation import extract_features, load_features
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.sources import load_generated
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.models import GaussianTransformer, PixelUNet
from gaussiandiffusion.models.transformer import SIZES
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation
from gaussiandiffusion.splats import Canvas, Splats, storage
from gaussiandiffusion.training.checkpoint import load_checkpoint, save_checkpoint
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import TrainingSet, load_training_set
from gaussiandiffusion.training.metrics import append_metrics, read_metrics, truncate_metrics
from gaussiandiffusion.training.pairs import teacher_pairs
from gaussiandiffusion.training.presets import load_config, presets, with_settings
from gaussiandiffusion.training.trainer import Trainer

SLOTS = 4
CLASSES = {"class": ["0", "1"]}


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Args:
        make: lays sound files into an empty folder.
        read: reads them as the program does.
        files: which of them are damaged in turn.
        share: of the variants, relative to other kinds; less where reading takes long.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], object]
    files: str = "*"
    share: float = 1.0

    def damageable(self, folder: Path) -> list[Path]:
        """The files, in a fixed order."""
        return sorted(path for path in folder.glob(self.files) if path.is_file())


def splats(count: int = 2) -> Splats:
    """Random sound sets."""
    draw = torch.Generator().manual_seed(0)
    uniform = functools.partial(torch.rand, generator=draw)
    return Splats(
        2 * uniform(count, SLOTS, 2) - 1,
        0.3 * uniform(count, SLOTS, 2) + 0.05,
        uniform(count, SLOTS) - 0.5,
        uniform(count, SLOTS, 1),
        Canvas(SIDE, SIDE, 1),
    )


def make_svg(folder: Path) -> None:
    gd.to_svg(splats(1), folder / "set.svg")


# --- splat files and models ----------------------------------------------------------------------------------
def make_splat_file(folder: Path) -> None:
    conditions = Conditions(ConditionSpec({"class": ("a", "b")}), torch.tensor([[0], [1]]))
    kept = {"psnr": torch.tensor([20.0, 30.0]), "encoder": {"iterations": 3}, "source": {"seed": 1}}
    splats().save(folder / "sets.safetensors", conditions=conditions, **kept)


def read_splat_file(folder: Path) -> None:
    path = folder / "sets.safetensors"
    storage.load_header(path)
    storage.load(path)
    canvas = Splats.load(path).canvas
    gd.render(Splats.load(path), size=SIDE)
    if canvas.height * canvas.width <= 1 << 20:  # larger ones are drawn too, and take the time that they take
        load_generated(str(path))


def make_template(folder: Path) -> None:
    settings = {**make_encoder(1, num_splats=SLOTS, iterations=3).settings.to_dict(), "start": "template"}
    splats(1).save(folder / "template.safetensors", encoder=settings)


def read_template(folder: Path) -> None:
    encoder = make_encoder(1, start=f"template:{folder / 'template.safetensors'}")
    if encoder.template is not None and encoder.template.canvas == Canvas(SIDE, SIDE, 1):
        encoder.encode(pictures(1))


def splat_model() -> gd.GaussianDiffusionPipeline:
    settings = make_encoder(1, num_splats=SLOTS, iterations=3).settings.to_dict() | {"start": "template"}
    network = GaussianTransformer(6, width=16, depth=1, num_heads=2, conditions=CLASSES, num_anchor_features=6)
    representation = SplatRepresentation(SIDE, SIDE, 1, settings)
    representation.template_means.copy_(splats(1).means[0])
    scheduler = Objective("flow").scheduler
    return gd.GaussianDiffusionPipeline(network.eval(), representation, scheduler, chunk_size=1)


def pixel_model() -> gd.GaussianDiffusionPipeline:
    network = PixelUNet((SIDE, SIDE), widths=(8, 32), attention=(1,), norm_groups=4, conditions=CLASSES)
    scheduler = Objective("epsilon", clip_sample=True).scheduler
    representation = PixelRepresentation(SIDE, SIDE, 1)
    return gd.GaussianDiffusionPipeline(network.eval(), representation, scheduler, chunk_size=1)


def read_model(folder: Path) -> None:
    pipeline = gd.GaussianDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    pipeline(num_samples=1, num_inference_steps=2)


def read_features(folder: Path) -> None:
    extract_features(load_features(folder).network, pictures(2))


def make_gallery(folder: Path) -> None:
    make_pictures(folder / "images")
    record = {"model": "mnist", "num": 4, "seed": 0, "steps": 4, "guidance": 1.0, "labels": [0, 1, 0, 1]}
    (folder / "sample.json").write_text(json.dumps(record | {"conditions": {"class": ["0", "1", "0", None]}}))


# --- training ------------------------------------------------------------------------------------------------
@functools.cache
def pixel_training() -> tuple[TrainConfig, TrainingSet]:
    """A training that needs no encoder, and takes three steps."""
    config = with_settings(
        TrainConfig(),
        data="images.npz", encode="live", representation="pixels", patch=4, network="tiny", max_steps=3, batch_size=2,
        log_every=1, mixed_precision="no", sample_every=100,
    )  # fmt: skip
    found = ImageSet(pictures(), ConditionColumns.of_labels(np.arange(4) % 2), "images.npz")
    with patch("gaussiandiffusion.training.latents.load_images", lambda *_, **__: found):
        return config, load_training_set(config, None)


def trainer_in(folder: Path) -> Trainer:
    """The trainer of a network smaller than any that has a name."""
    with patch.dict(SIZES, tiny={"block": "adaptive", "width": 16, "depth": 1, "num_heads": 2}):
        return Trainer(*pixel_training(), folder, "cpu")


def make_training(folder: Path) -> None:
    trainer = trainer_in(folder)
    with trainer._batches() as feed:
        for step in (1, 2):
            trainer.work.advance(feed)
            append_metrics(folder / "metrics.jsonl", step, {"loss": 0.5, "samples_per_second": 100.0})
    save_checkpoint(folder, trainer.work.state(), trainer.config)
    for extra in [*folder.glob("logs"), *folder.glob("runs")]:
        shutil.rmtree(extra)


def read_training(folder: Path) -> None:
    load_checkpoint(folder, pixel_training()[0])
    read_metrics(folder / "metrics.jsonl")
    truncate_metrics(folder / "metrics.jsonl", 1)


def resume_training(folder: Path) -> None:
    trainer = trainer_in(folder)
    trainer.accelerator.log_with = []
    with patch("gaussiandiffusion.training.trainer.tqdm", functools.partial(_quiet_bar)):
        trainer.train(resume=True)


def _quiet_bar(**kwargs: Any) -> Any:
    from tqdm import tqdm

    return tqdm(**{**kwargs, "disable": True})


@functools.cache
def teacher() -> gd.GaussianDiffusionPipeline:
    torch.manual_seed(0)
    return splat_model()


def make_pairs(folder: Path) -> None:
    teacher_pairs(teacher(), 2, folder, steps=1)


# --- data ----------------------------------------------------------------------------------------------------
def encode_shards(folder: Path) -> None:
    encode_to(folder / "shards")


def encode_to(out: Path) -> None:
    images = ImageSet(pictures(), ConditionColumns.of_labels(np.arange(4) % 2), "images")
    with patch.object(shards, "SHARD_IMAGES", 2):
        encode_dataset(images, make_encoder(1, num_splats=SLOTS, iterations=1), out, resume=True)
    for path in [*out.glob("*.safetensors")] if out.is_dir() else [out]:
        storage.load(path)  # what was kept is sound


def make_partial(folder: Path) -> None:
    encode_to(folder / "shards")
    (folder / "shards" / "encode.json").unlink()
    (folder / "shards").rename(folder / "sets.safetensors.partial")


def _config_file(name: str) -> Callable[[Path], object]:
    if name.endswith(".toml"):
        return lambda folder: shutil.copy(presets()["mnist"], folder / name)
    return lambda folder: (folder / name).write_text(json.dumps(TrainConfig().to_dict()))


KINDS: dict[str, Kind] = {
    "splat file": Kind(make_splat_file, read_splat_file),
    "SVG": Kind(make_svg, lambda folder: Splats.load(folder / "set.svg")),
    "template": Kind(make_template, read_template),
    "model of splats": Kind(lambda folder: splat_model().save_pretrained(folder), read_model, "**/*", 1.5),
    "model of pixels": Kind(lambda folder: pixel_model().save_pretrained(folder), read_model, "**/*", 0.5),
    "feature network": Kind(lambda folder: FeatureNetwork(1, SIDE, 2, 4, 2).save_pretrained(folder), read_features),
    "gallery": Kind(make_gallery, lambda folder: load_generated(str(folder)), "**/*"),
    "preset .toml": Kind(_config_file("own.toml"), lambda folder: load_config(folder / "own.toml")),
    "preset .json": Kind(_config_file("own.json"), lambda folder: load_config(folder / "own.json")),
    "training folder": Kind(make_training, read_training, "**/*"),
    "training, resumed": Kind(make_training, resume_training, "**/*", 0.2),
    "teacher's pairs": Kind(make_pairs, make_pairs),
    "encoded shards": Kind(encode_shards, encode_shards, "shards/*.safetensors", 0.5),
    "partial file": Kind(make_partial, lambda folder: encode_to(folder / "sets.safetensors"), "*/*", 0.5),
    ".npz": Kind(make_arrays, lambda folder: load_images(folder / "arrays.npz")),
    "sheets": Kind(make_sheets, lambda folder: load_images(folder / "sheets.npz")),
    "IDX": Kind(make_idx, load_images),
    "IDX, gzipped": Kind(make_packed_idx, load_images, share=0.5),
    "pictures": Kind(make_pictures, load_images),
    "JPEG, WebP, BMP, GIF, TIFF": Kind(make_coloured, load_images),
    "attribute table": Kind(make_faces, lambda folder: load_images("celeba64", data_dir=folder), "*.txt"),
    "zip": Kind(make_zip, lambda folder: load_images(folder / "pictures.zip")),
    "parquet": Kind(make_parquet, load_images),
}  # fmt: skip
