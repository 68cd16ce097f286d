"""Whether a source holds sets that are encoded already, or pictures: told by names, without PyTorch."""

from __future__ import annotations

import os
from pathlib import Path

from gaussiandiffusion.data.datasets import find_dataset
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import LARGEST, is_file, parse_json, read_text
from gaussiandiffusion.ground.set_readers import READERS, suffix_of
from gaussiandiffusion.splats.shards import is_sharded

SETS = ".safetensors"
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".zip", ".npz", ".parquet", ".gz"}


def holds_sets(source: str | os.PathLike[str]) -> bool:
    """Whether it is a splat file, a folder of shards, or a file or folder of sets of another system.

    A folder that has pictures or folders in it is one of pictures, whatever else lies there.
    """
    if not os.fspath(source) or (isinstance(source, str) and find_dataset(source) is not None):
        return False
    path = Path(source).expanduser()
    if not path.exists():
        return False
    if path.is_dir():
        if is_sharded(path):
            return True
        inside = [each for each in path.iterdir() if not each.name.startswith(".")]
        if not inside or any(each.is_dir() or each.suffix.lower() in PICTURES for each in inside):
            return False
    elif path.suffix.lower() in PICTURES:
        return False
    if path.suffix.lower() == SETS and path.is_file():
        return True
    return suffix_of(path) in READERS


def is_json_of_sets(path: Path) -> bool:
    """Whether a JSON file holds sets, and not settings of a training; False of one that is no JSON."""
    if path.suffix.lower() != ".json" or not is_file(path):
        return False
    if path.stat().st_size > LARGEST:  # than which no file of settings is larger
        return True
    try:
        values = parse_json(read_text(path), path)
    except InputError:
        return False
    return isinstance(values, dict) and bool({"sets", "format_version"} & values.keys())
