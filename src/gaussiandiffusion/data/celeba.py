"""CelebA at 64x64: the aligned photographs, cropped to the central 178x178 and reduced.

202,599 photographs of 178x218; the authors' split is by number: training 1 to 162,770, testing from 182,638 on (those
between validate). Source: Liu et al., "Deep Learning Face Attributes in the Wild", ICCV 2015;
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
Licence: for non-commercial research only, under an agreement that everyone must accept for himself; so nothing is
downloaded here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from gaussiandiffusion.data.attribute_table import read_attribute_table
from gaussiandiffusion.data.parquet import open_parquet, parquet_files
from gaussiandiffusion.data.paths import Describe
from gaussiandiffusion.data.pictures import open_folder, open_zip
from gaussiandiffusion.data.stream import ImageSource

ARCHIVE, FOLDER = "img_align_celeba.zip", "img_align_celeba"
ATTRIBUTES = "list_attr_celeba"
SIDE = 64
NUMBERS = {"train": (1, 162_770), "test": (182_638, 202_599)}  # first and last
HOW_TO_GET = (
    "accept its licence at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, get img_align_celeba.zip, and give "
    "--data-dir DIR with it (or with the Parquet files of a copy on Hugging Face)"
)


def open_celeba64(folder: Path, split: str) -> ImageSource | None:
    """A split from `folder`, or None if it holds none of these: `img_align_celeba.zip`, a folder `img_align_celeba`
    (either also in `Img/`, as they are published), or Parquet files `train-*` and `test-*` of the same photographs
    (also in `data/`). Their 40 attributes are the conditions, each "no" or "yes", if `list_attr_celeba.txt` (or .csv)
    lies there or in `Anno/`; of Parquet files, only the photographs are read.

    Raises:
        InputError: files are damaged, the attributes do not fit the photographs, or none is of the split.
    """
    for place in (folder, folder / "Img"):
        if (place / ARCHIVE).is_file():
            return open_zip(place / ARCHIVE, reduced, _of_split(split), describe=_attributes(folder))
        if (place / FOLDER).is_dir():
            return open_folder(place / FOLDER, reduced, _of_split(split), describe=_attributes(folder))
    if files := parquet_files(folder, split):
        return open_parquet(files, reduced)
    return None


def _attributes(folder: Path) -> Describe:
    tables = (folder / below / f"{ATTRIBUTES}{kind}" for below in (".", "Anno") for kind in (".txt", ".csv"))
    table = next((path for path in tables if path.is_file()), None)
    return (lambda _: None) if table is None else read_attribute_table(table)


def reduced(photograph: Image.Image) -> Image.Image:
    """The central square of a photograph, reduced to 64x64 RGB (bicubic, over the whole area of each pixel)."""
    side = min(photograph.size)
    left, top = (photograph.width - side) // 2, (photograph.height - side) // 2
    square = photograph.convert("RGB").crop((left, top, left + side, top + side))
    return square.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _of_split(split: str) -> Callable[[str], bool]:
    """Whether a picture called like `000001.jpg` is of the split."""
    first, last = NUMBERS[split]

    def choose(name: str) -> bool:
        number = os.path.splitext(os.path.basename(name))[0]
        return number.isdecimal() and first <= int(number) <= last

    return choose
