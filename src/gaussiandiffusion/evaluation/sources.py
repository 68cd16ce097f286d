"""What `evaluate` is pointed at: sample folders, splat files, data sets with a split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gaussiandiffusion.data import DATASETS, ImageSet, load_images
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import read_json
from gaussiandiffusion.pipeline import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import storage

BLOCK = 2048  # sets rendered at once


@dataclass(frozen=True)
class Generated:
    """Generated images with their labels, and what is known of how they were made."""

    images: ImageSet
    model: str | None = None
    seed: int | None = None


def load_generated(source: str) -> Generated:
    """Images of a folder that `sample` wrote, of a splat file (rendered), or of any image source.

    Raises:
        InputError: nothing readable there.
    """
    path = Path(source)
    if (path / "sample.json").is_file():
        record = read_json(path / "sample.json")
        images = load_images(path / "images")
        labels = record.get("labels")
        if labels is not None and len(labels) != len(images):
            raise InputError(
                f"{path}: sample.json tells of {len(labels)} pictures, images/ holds {len(images)}; sample again"
            )
        labelled = replace(
            images,
            name=path.name,
            split=None,
            labels=None if labels is None else np.asarray(labels, np.int64),
        )
        return Generated(labelled, record.get("model"), record.get("seed"))
    if path.suffix == ".safetensors":
        file = storage.load(path)
        blocks = [to_uint8(render(file.splats[i : i + BLOCK])) for i in range(0, len(file.splats), BLOCK)]
        labels = None if file.labels is None else file.labels.numpy()
        images = ImageSet(torch.cat(blocks).numpy(), labels, path.name, None)
        model, seed = file.header["encoder"].get("model"), file.header["source"].get("seed")
        return Generated(images, model, seed)
    return Generated(load_images(source))


def load_real(source: str, data_dir: Path | None) -> tuple[ImageSet, ImageSet | None]:
    """The reference NAME[:train|:test] (test by default) or any image source; and for a name, the train split.

    The train split as the reference has no other beside it. Of a folder that `sample` wrote, only its pictures count.
    """
    name, _, split = source.partition(":")
    if name not in DATASETS:
        samples = (Path(source) / "sample.json").is_file()
        return load_images(Path(source) / "images" if samples else source), None
    reference = load_images(name, split=split or "test", data_dir=data_dir)
    return reference, None if split == "train" else load_images(name, split="train", data_dir=data_dir)
