"""CIFAR-10, in its published binary form or as picture sheets. Nothing is unpickled.

Binary form: records of one label byte and 3,072 bytes of pixels, colour plane by colour plane (32x32 each).
Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html
Licence: the authors give none and ask for that citation; the photographs were collected from the web.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np

from gaussiandiffusion.data.image_set import ImageSet
from gaussiandiffusion.data.sheets import open_sheets
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.errors import InputError

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
LARGEST_BATCH = 1 << 26  # bytes: twice what the published ones have
BATCHES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
SHEETS = {"train": tuple(f"train-{i}.npz" for i in range(1, 6)), "test": ("test.npz",)}


def open_cifar10(folder: Path, split: str) -> ImageSource | None:
    """A split from `folder`, or None if it holds neither of these: the `.bin` files (or a folder `cifar-10-batches-bin`
    of them), `cifar-10-binary.tar.gz`, or sheets `train-1.npz` ... `train-5.npz` and `test.npz` (the first few will
    do, for a part of the training images).

    Raises:
        InputError: files are damaged, or some are missing.
    """
    for place in (folder, folder / FOLDER):
        files = [place / name for name in BATCHES[split]]
        if files[0].is_file():
            return _of_records([_content(file) for file in files], files)
    if (folder / ARCHIVE).is_file():
        return _of_archive(folder / ARCHIVE, split)
    sheets = [folder / name for name in SHEETS[split]]
    there = next((i for i, path in enumerate(sheets) if not path.is_file()), len(sheets))
    return open_sheets(sheets[:there]) if there else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); put all batches there") from error


def _of_archive(path: Path, split: str) -> ImageSource:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = Path(member.name).name
                stream = archive.extractfile(member) if name in BATCHES[split] else None
                if stream is None:
                    continue
                if member.size > LARGEST_BATCH:
                    raise InputError(
                        f"{path}: its {name} unpacks to {member.size} bytes, as no batch does; get it again"
                    )
                found[name] = stream.read()
                if len(found) == len(BATCHES[split]):
                    break  # what comes after them is never unpacked
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(
            f"{path}: is not a sound .tar.gz archive, or only a part of one ({error}); get it again"
        ) from error
    if missing := [name for name in BATCHES[split] if name not in found]:
        raise InputError(f"{path}: lacks {', '.join(missing)}; get it again")
    return _of_records([found[name] for name in BATCHES[split]], [path / name for name in BATCHES[split]])


def _of_records(contents: list[bytes], paths: list[Path]) -> ImageSource:
    for content, path in zip(contents, paths, strict=True):
        if not content or len(content) % RECORD:
            raise InputError(f"{path}: {len(content)} bytes are no whole records of {RECORD}; get it again")
    records = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, RECORD)
    pixels = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return ImageSource.of(ImageSet.labelled(pixels, records[:, 0]))
