"""What `evaluate` is pointed at: galleries, splat files, data sets with a split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from gaussiandiffusion.data import Framing, ImageSet, ImageSource, load_images, open_images
from gaussiandiffusion.data.datasets import find_dataset
from gaussiandiffusion.data.framed import framed
from gaussiandiffusion.data.sets import holds_sets
from gaussiandiffusion.data.sources import named_split
from gaussiandiffusion.gallery import is_gallery, picture_folder, read_gallery
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats.formats import open_sets, sets_of
from gaussiandiffusion.splats.set_source import Reading

BLOCK = 2048  # sets rendered at once


@dataclass(frozen=True)
class Generated:
    """Generated images with their conditions, and what their maker says of how they were made.

    Attributes:
        notes: what a reader of sets guessed or left out.
    """

    images: ImageSet
    model: str | None = None
    seed: int | None = None
    notes: list[str] = field(default_factory=list)


def load_generated(source: str, framing: Framing | None = None, reading: Reading | None = None) -> Generated:
    """Images of a gallery, of any file of sets (rendered), or of any image source.

    Args:
        framing: the size and mode to bring them to.
        reading: what a file of sets does not say.

    Raises:
        InputError: nothing readable there.
    """
    path = Path(source).expanduser()
    if not is_gallery(path) and not holds_sets(source) and path.suffix != ".safetensors":
        if reading is not None:
            reading.refuse(path, "source of images")
        return Generated(load_images(source, framing=framing))
    generated = _of_samples(path, reading)
    return replace(generated, images=framed(ImageSource.of(generated.images), framing).read())


def _of_samples(path: Path, reading: Reading | None) -> Generated:
    if is_gallery(path):
        if reading is not None:
            reading.refuse(path, "folder of samples")
        gallery = read_gallery(path)
        return Generated(gallery.images, gallery.record.model, gallery.record.seed)
    opened = open_sets(path, reading)
    file = sets_of(opened, path)
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
        opened.notes,
    )


def load_real(source: str, data_dir: Path | None, framing: Framing | None = None) -> tuple[ImageSet, ImageSet | None]:
    """The reference NAME-or-SOURCE[:train|:test], of what has splits its test split by default; and the train split.

    The train split as the reference has no other beside it, nor have images without splits. Of a gallery, only its
    pictures count.
    """
    name, split = named_split(source)
    place: str | Path = name
    if find_dataset(name) is None:
        place = Path(picture_folder(name))
        if split is None and not _has_splits(place):
            return load_images(place, framing=framing), None
    reference = load_images(place, split=split or "test", data_dir=data_dir, framing=framing)
    train = None if split == "train" else load_images(place, split="train", data_dir=data_dir, framing=framing)
    return reference, train


def _has_splits(place: Path) -> bool:
    """Whether a folder or zip has a train split, and so in all likelihood a test split."""
    several = place.is_dir() or place.suffix.lower() == ".zip"
    return several and open_images(place).split is not None
