"""How a gallery lies: `sample.json`, `grid.png`, `images/00000.png` ..., and of models of splats `splats.safetensors`.

`sample.json` tells which model made the samples. That is a remark for readers: nothing is ever loaded because of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, read_record

RECORD_FILE = "sample.json"
PICTURES = "images"
PARTS = (
    RECORD_FILE,
    PICTURES,
    "svg",
    "grid.png",
    "splats.safetensors",
    "interpolation.gif",
)  # beside materialisation.*
LARGEST = 256 << 20  # bytes of a record: it holds a label for each of maybe millions of samples


@dataclass(frozen=True)
class SampleRecord:
    """What `sample.json` says.

    Attributes:
        model: name or folder, as the user gave it.
        num: samples.
        seed: that they depend on, with their index.
        steps, scheduler, eta: of the sampler.
        passes: of the network for one sample.
        guidance, guidance_interval: see `Guidance`.
        labels: class of each sample, where there is one attribute.
        conditions: names of the values of each sample, attribute by attribute; null where it was left open.
        device: kind of device that computed.
        mixed_precision: of the network: "no" or "bf16".
        seconds_per_image: wall-clock.
    """

    model: str | None = None
    num: Annotated[int, Meta(ge=0)] | None = None
    seed: int | None = None
    steps: int | None = None
    passes: int | None = None
    guidance: float | None = None
    guidance_interval: list[float] = field(default_factory=lambda: [0.0, 1.0])
    scheduler: str | None = None
    eta: float = 0.0
    labels: list[Annotated[int, Meta(ge=0, le=1_000_000)]] | None = None
    conditions: dict[str, list[str | None]] | None = None
    device: str | None = None
    mixed_precision: str | None = None
    seconds_per_image: float | None = None


@dataclass(frozen=True)
class Gallery:
    """A gallery that was read."""

    images: ImageSet
    record: SampleRecord


def is_gallery(folder: Path) -> bool:
    """Whether `sample` wrote this folder."""
    return is_file(folder / RECORD_FILE)


def is_part(path: Path, folder: Path) -> bool:
    """Whether a gallery that is written to `folder` would take the place of a file or folder."""
    path, folder = path.resolve(), folder.resolve()
    if path == folder:
        return True
    if folder not in path.parents:
        return False
    name = path.relative_to(folder).parts[0]
    return name in PARTS or name.startswith("materialisation.")


def picture_folder(source: str) -> Path | str:
    """Where a source's pictures are: of a gallery in its own folder of them."""
    return Path(source) / PICTURES if is_gallery(Path(source)) else source


def picture_name(index: int, num: int) -> str:
    """A sample's number as its files' name, all `num` of one length."""
    return f"{index:0{max(5, len(str(num - 1)))}d}"


def read_gallery(folder: Path) -> Gallery:
    """Pictures and record of a gallery.

    Raises:
        InputError: it is damaged, or its parts do not belong together.
    """
    record = read_record(folder / RECORD_FILE, SampleRecord, LARGEST)
    images = load_images(folder / PICTURES)
    labels = record.labels
    if labels is not None and len(labels) != len(images):
        raise InputError(
            f"{folder}: sample.json tells of {len(labels)} pictures, images/ holds {len(images)}; sample again"
        )
    conditions = None if labels is None else ConditionColumns.of_labels(np.asarray(labels, np.int64))
    if labels is None and record.conditions:
        conditions = _named_columns(folder, record.conditions, len(images))
    return Gallery(ImageSet(images.images, conditions, folder.name), record)


def _named_columns(folder: Path, words: dict[str, list[str | None]], count: int) -> ConditionColumns | None:
    """Conditions from names, in the order in which they first come; attributes that were left open say nothing."""
    asked = {name: [value for value in values if value is not None] for name, values in words.items()}
    for name, values in words.items():
        if len(values) != count:
            raise InputError(
                f"{folder}: sample.json tells the {name} of {len(values)} pictures, images/ holds {count}; sample again"
            )
    spec = ConditionSpec({name: tuple(dict.fromkeys(values)) for name, values in asked.items() if len(values) == count})
    columns = [[spec.attributes[name].index(value) for value in asked[name]] for name in spec.attributes]
    return ConditionColumns(spec, np.array(columns, np.int64).T) if spec and count else None


def record_values(record: SampleRecord) -> dict[str, Any]:
    """As it is written."""
    return vars(record)
