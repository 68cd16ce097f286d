"""`load_images`: any SOURCE a user may name, as an `ImageSet`."""

from __future__ import annotations

import os
from pathlib import Path

from gaussiandiffusion.data.arrays import read_npz
from gaussiandiffusion.data.datasets import (
    IMAGES,
    LABELS,
    SPLITS,
    DatasetSpec,
    check_content,
    check_split,
    find_dataset,
    local_files,
    unknown_dataset,
)
from gaussiandiffusion.data.download import fetch
from gaussiandiffusion.data.idx import find_idx, labels_beside, read_idx_pair
from gaussiandiffusion.data.images import ImageSet, check_limit
from gaussiandiffusion.data.pictures import is_picture, read_folder, read_picture_file, read_zip
from gaussiandiffusion.errors import InputError

KINDS = "a folder or zip of images, an image (png, jpg, webp, bmp, gif), IDX (.gz), .npz or a data-set name"


def load_images(
    source: str | os.PathLike[str],
    *,
    split: str = "train",
    data_dir: str | os.PathLike[str] | None = None,
    limit: int | None = None,
) -> ImageSet:
    """Load images from a data set known by name, or from the user's files.

    Args:
        source: a data-set name (`./NAME`, or a `Path`, for a folder called like one), or a path: a folder or
            zip of images, an image, an IDX file (.gz), a folder of the four IDX files, or an .npz.
        split: "train" or "test", where the source has both.
        data_dir: for a name: the folder that holds its files (or holds them in a sub-folder of that name);
            None: the cache, downloaded into it once.
        limit: the first so many images only.

    Returns:
        uint8 images [N, C, H, W] with their labels, if any.

    Raises:
        InputError: anything is wrong with the source, in one sentence that names the file and the fix.
    """
    check_split(split)
    check_limit(limit)
    spec = find_dataset(source) if isinstance(source, str) else None
    if spec is not None:
        return load_dataset(spec, split, data_dir).limit(limit)
    text = os.fspath(source)
    if not text:
        raise InputError(f"the source is an empty word; give {KINDS}")
    path = Path(os.path.expanduser(text))
    if os.path.isdir(path):
        return _load_folder(path, split, limit)
    if os.path.isfile(path):
        return _load_file(path, limit)
    if os.path.lexists(path):
        raise InputError(f"{path}: is neither a file nor a folder; give {KINDS}")
    if Path(text).name == text and not path.suffix:
        raise unknown_dataset(text)
    raise InputError(f"{path}: no such file or folder; give {KINDS}")


def load_dataset(spec: DatasetSpec, split: str, data_dir: str | os.PathLike[str] | None = None) -> ImageSet:
    """Load a split of a data set from `data_dir`, or from the cache (downloaded if need be).

    Raises:
        InputError: the files are missing, damaged, another data set's, or cannot be downloaded.
    """
    check_split(split)
    if data_dir is not None:
        paths = local_files(spec, split, Path(data_dir).expanduser())
        images, labels = read_idx_pair(*paths)
    else:
        paths = fetch(spec, split)
        try:
            images, labels = read_idx_pair(*paths)
        except InputError:  # damaged since it was checked: the cache mends itself
            paths = fetch(spec, split, again=True)
            images, labels = read_idx_pair(*paths)
    assert labels is not None
    check_content(spec, images, labels, paths[0].parent)
    return ImageSet(images, labels, spec.name, split)


def _load_folder(path: Path, split: str, limit: int | None) -> ImageSet:
    name = path.resolve().name or str(path)
    present = {each: find_idx(path, f"{prefix}-{IMAGES}") for each, prefix in SPLITS.items()}
    if not any(present.values()):
        return ImageSet(*read_folder(path, limit), name)
    images = present[split]
    if images is None:
        raise InputError(f"{path}: holds no {SPLITS[split]}-{IMAGES}(.gz), the images of the {split} split; add it")
    pixels, labels = read_idx_pair(images, find_idx(path, f"{SPLITS[split]}-{LABELS}"))
    return ImageSet(pixels, labels, name, split).limit(limit)


def _load_file(path: Path, limit: int | None) -> ImageSet:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return ImageSet(*read_npz(path, limit), path.name)
    if suffix == ".zip":
        return ImageSet(*read_zip(path, limit), path.name)
    if is_picture(path.name):
        return ImageSet(read_picture_file(path), None, path.name)
    if suffix == ".gz" or "ubyte" in path.name or "idx" in path.name.lower():
        split = next((each for each, prefix in SPLITS.items() if path.name.startswith(f"{prefix}-")), None)
        return ImageSet(*read_idx_pair(path, labels_beside(path)), path.name, split).limit(limit)
    raise InputError(f"{path}: is of no kind that is read here; give {KINDS}")
