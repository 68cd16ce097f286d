"""`open_images` and `load_images`: any SOURCE a user may name, to be read part by part or all at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from gaussiandiffusion.data.arrays import open_npz
from gaussiandiffusion.data.datasets import (
    IMAGES,
    LABELS,
    SPLITS,
    DatasetSpec,
    check_split,
    checked,
    find_dataset,
    open_local,
    unknown_dataset,
)
from gaussiandiffusion.data.decoding import is_picture
from gaussiandiffusion.data.download import fetch
from gaussiandiffusion.data.framed import converter, framed
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.data.idx import find_idx, labels_beside, open_idx
from gaussiandiffusion.data.image_set import ImageSet, check_limit
from gaussiandiffusion.data.parquet import of_splits, open_parquet, parquet_files
from gaussiandiffusion.data.pictures import open_folder, open_picture, open_zip
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.errors import InputError

KINDS = (
    "a folder or zip of images, an image (png, jpg, webp, bmp, gif, tif), IDX (.gz), .npz, .parquet or a data-set name"
)


def load_images(
    source: str | os.PathLike[str],
    *,
    split: str = "train",
    data_dir: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    framing: Framing | None = None,
) -> ImageSet:
    """Load images from a data set known by name, or from the user's files: `open_images`, and all of it read.

    Returns:
        uint8 images [N, C, H, W] with their labels, if any.
    """
    return open_images(source, split=split, data_dir=data_dir, limit=limit, framing=framing).read()


def open_images(
    source: str | os.PathLike[str],
    *,
    split: str = "train",
    data_dir: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    framing: Framing | None = None,
) -> ImageSource:
    """Open a data set known by name, or the user's files, to be read part by part.

    Args:
        source: a data-set name (`./NAME`, or a `Path`, for a folder called like one), or a path: a folder or
            zip of images, an image, an IDX file (.gz), a folder of the four IDX files, an .npz of arrays or of
            picture sheets, a Parquet file or a folder of these.
        split: "train" or "test"; a source without splits is all "train". A folder or zip has them that holds
            sub-folders `train` and `test`, see `find_split`.
        data_dir: for a name: the folder that holds its files (or holds them in a sub-folder of that name);
            None: the cache, downloaded into it once.
        limit: the first so many images only.
        framing: the size and mode to bring the images to; picture files may then differ in both.

    Raises:
        InputError: anything is wrong with the source, in one sentence that names the file and the fix. What is wrong
            with a single image of many is told when that is read.
    """
    check_split(split)
    check_limit(limit)
    spec = find_dataset(source) if isinstance(source, str) else None
    if spec is not None:
        return framed(open_dataset(spec, split, data_dir), framing).limit(limit)
    text = os.fspath(source)
    if not text:
        raise InputError(f"the source is an empty word; give {KINDS}")
    path = Path(os.path.expanduser(text))
    if os.path.isdir(path):
        return _of_split(_open_folder(path, split, framing, limit), split, path).limit(limit)
    if os.path.isfile(path):
        opened = replace(_open_file(path, split, framing, limit), name=path.name)
        return _of_split(opened, split, path).limit(limit)
    if os.path.lexists(path):
        raise InputError(f"{path}: is neither a file nor a folder; give {KINDS}")
    if Path(text).name == text and not path.suffix:
        raise unknown_dataset(text)
    raise InputError(f"{path}: no such file or folder; give {KINDS}")


def named_split(source: str) -> tuple[str, str | None]:
    """A source and, if it is followed by `:SPLIT`, that: of a path that is there as it is written, nothing is taken."""
    head, colon, tail = source.rpartition(":")
    if colon and not os.path.lexists(source) and (tail in SPLITS or find_dataset(head) is not None):
        return head, tail
    return source, None


def load_dataset(spec: DatasetSpec, split: str, data_dir: str | os.PathLike[str] | None = None) -> ImageSet:
    """`open_dataset`, and all of it read."""
    return open_dataset(spec, split, data_dir).read()


def open_dataset(spec: DatasetSpec, split: str, data_dir: str | os.PathLike[str] | None = None) -> ImageSource:
    """Open a split of a data set in `data_dir`, or in the cache (downloaded if need be).

    Raises:
        InputError: the files are missing, damaged, another data set's, or cannot be downloaded.
    """
    check_split(split)
    if data_dir is not None:
        return open_local(spec, split, Path(data_dir).expanduser())
    folder = fetch(spec, split)
    try:
        source = spec.read(folder, split)
    except InputError:  # damaged since it was checked: the cache mends itself
        source = spec.read(fetch(spec, split, again=True), split)
    assert source is not None
    return checked(spec, source, split, folder)


def _of_split(source: ImageSource, split: str, path: Path) -> ImageSource:
    if split == "test" and source.split != "test":
        raise InputError(
            f"{path}: has no test split; leave --split out for all of it, or put pictures into sub-folders train/ and "
            "test/"
        )
    return source


def _open_folder(path: Path, split: str, framing: Framing | None, limit: int | None) -> ImageSource:
    name = path.resolve().name or str(path)
    if files := parquet_files(path, split):
        return replace(open_parquet(files, converter(framing)), name=name, split=split if of_splits(files) else None)
    if not any(find_idx(path, f"{prefix}-{IMAGES}") for prefix in SPLITS.values()):
        return replace(open_folder(path, converter(framing), split=split), name=name)
    images = find_idx(path, f"{SPLITS[split]}-{IMAGES}")
    if images is None:
        raise InputError(f"{path}: holds no {SPLITS[split]}-{IMAGES}(.gz), the images of the {split} split; add it")
    source = framed(open_idx(images, find_idx(path, f"{SPLITS[split]}-{LABELS}"), limit), framing)
    return replace(source, name=name, split=split)


def _open_file(path: Path, split: str, framing: Framing | None, limit: int | None) -> ImageSource:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return framed(open_npz(path, limit), framing)
    if suffix == ".zip":
        return open_zip(path, converter(framing), split=split)
    if suffix == ".parquet":
        return open_parquet([path], converter(framing))
    if is_picture(path.name):
        return open_picture(path, converter(framing))
    if suffix == ".gz" or "ubyte" in path.name or "idx" in path.name.lower():
        own = next((each for each, prefix in SPLITS.items() if path.name.startswith(f"{prefix}-")), None)
        return replace(framed(open_idx(path, labels_beside(path), limit), framing), split=own)
    raise InputError(f"{path}: is of no kind that is read here; give {KINDS}")
