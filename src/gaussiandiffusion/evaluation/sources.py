"""What `evaluate` is pointed at: galleries, splat files, data sets with a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from gaussiandiffusion.data import DATASETS, ImageSet, load_images
from gaussiandiffusion.gallery import is_gallery, picture_folder, read_gallery
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import storage

BLOCK = 2048  # sets rendered at once


@dataclass(frozen=True)
class Generated:
    """Generated images with their conditions, and what their maker says of how they were made."""

    images: ImageSet
    model: str | None = None
    seed: int | None = None


def load_generated(source: str) -> Generated:
    """Images of a gallery, of a splat file (rendered), or of any image source.

    Raises:
        InputError: nothing readable there.
    """
    path = Path(source)
    if is_gallery(path):
        gallery = read_gallery(path)
        return Generated(gallery.images, gallery.record.model, gallery.record.seed)
    if path.suffix == ".safetensors":
        file = storage.load(path)
        blocks = [to_uint8(render(file.splats[i : i + BLOCK])) for i in range(0, len(file.splats), BLOCK)]
        shown = file.conditions
        try:
            conditions = None if shown is None else ConditionColumns(shown.spec, shown.values.numpy())
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        model, seed = file.header.encoder.get("model"), file.header.source.get("seed")
        return Generated(
            ImageSet(torch.cat(blocks).numpy(), conditions, path.name),
            model if isinstance(model, str) else None,
            seed if isinstance(seed, int) else None,
        )
    return Generated(load_images(source))


def load_real(source: str, data_dir: Path | None) -> tuple[ImageSet, ImageSet | None]:
    """The reference NAME[:train|:test] (test by default) or any image source; and for a name, the train split.

    The train split as the reference has no other beside it. Of a gallery, only its pictures count.
    """
    name, _, split = source.partition(":")
    if name not in DATASETS:
        return load_images(picture_folder(source)), None
    reference = load_images(name, split=split or "test", data_dir=data_dir)
    return reference, None if split == "train" else load_images(name, split="train", data_dir=data_dir)
