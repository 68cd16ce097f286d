"""Small sound files of images, of every kind that is read."""

from __future__ import annotations

import gzip
import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 8


def pictures(count: int = 4) -> np.ndarray:
    """Grey images, uint8 [N, 1, SIDE, SIDE]."""
    return np.random.default_rng(0).integers(0, 256, (count, 1, SIDE, SIDE), dtype=np.uint8)


def make_pictures(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for i, picture in enumerate(pictures()):
        Image.fromarray(picture[0]).save(folder / f"{i}.png")


def make_coloured(folder: Path) -> None:
    colour = np.repeat(pictures()[:, 0, :, :, None], 3, axis=3)
    for picture, ending in zip((*colour, colour[0]), ("jpg", "webp", "bmp", "gif", "tif"), strict=True):
        Image.fromarray(picture).save(folder / f"{ending}.{ending}")


def make_faces(folder: Path) -> None:
    """Two pictures of the data set celeba64, with their attributes."""
    faces = folder / "img_align_celeba"
    faces.mkdir()
    for i in (1, 2):
        Image.fromarray(pictures()[i, 0]).save(faces / f"{i:06d}.jpg")
    table = "2\nBald Smiling Young\n000001.jpg -1  1  1\n000002.jpg  1 -1 -1\n"
    (folder / "list_attr_celeba.txt").write_text(table)


def make_arrays(folder: Path) -> None:
    np.savez(folder / "arrays.npz", images=pictures(), labels=np.arange(4))


def make_zip(folder: Path) -> None:
    make_pictures(folder / "pictures")
    shutil.make_archive(str(folder / "pictures"), "zip", folder / "pictures")
    shutil.rmtree(folder / "pictures")


def make_sheets(folder: Path) -> None:
    sheets = []
    for pair in pictures().reshape(2, 2 * SIDE, SIDE):
        file = io.BytesIO()
        Image.fromarray(pair).save(file, "WEBP", lossless=True)
        sheets.append(file.getvalue())
    offsets = np.cumsum([0, *map(len, sheets)])
    packed = np.frombuffer(b"".join(sheets), np.uint8)
    np.savez(folder / "sheets.npz", webp=packed, offsets=offsets, labels=np.arange(4) % 2)


def make_idx(folder: Path) -> None:
    header = np.array([0x803, 4, SIDE, SIDE], ">u4").tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(header + pictures().tobytes())
    (folder / "train-labels-idx1-ubyte").write_bytes(np.array([0x801, 4], ">u4").tobytes() + bytes((0, 1, 0, 1)))


def make_packed_idx(folder: Path) -> None:
    make_idx(folder)
    for path in folder.iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def make_parquet(folder: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    make_pictures(folder / "pictures")
    rows = [{"bytes": path.read_bytes()} for path in sorted((folder / "pictures").iterdir())]
    shutil.rmtree(folder / "pictures")
    pyarrow.parquet.write_table(pyarrow.table({"image": rows, "label": [0, 1, 0, 1]}), folder / "rows.parquet")
