"""Small image files for the tests of the data layer."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


class Maker:
    """Makes pixels, and files of them; every method that writes makes the folder too."""

    def noise(self, *shape: int, seed: int = 0) -> np.ndarray:
        """Random uint8 of the shape."""
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    def idx_bytes(self, values: np.ndarray, kind: int = 0x08) -> bytes:
        """An array as the bytes of an IDX file."""
        header = struct.pack(f">HBB{values.ndim}I", 0, kind, values.ndim, *values.shape)
        return header + values.astype(np.uint8).tobytes()

    def write(self, path: Path, content: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def idx(self, path: Path, values: np.ndarray) -> Path:
        """An IDX file, gzipped if it is called so."""
        content = self.idx_bytes(values)
        return self.write(path, gzip.compress(content) if path.suffix == ".gz" else content)

    def picture_bytes(self, pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
        """[H, W] or [H, W, C] as the bytes of a picture file."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind, **options)
        return buffer.getvalue()

    def png(self, path: Path, pixels: np.ndarray) -> Path:
        return self.write(path, self.picture_bytes(pixels))

    def sheets(self, path: Path, pixels: np.ndarray, per_sheet: int, **columns: np.ndarray) -> Path:
        """[N, W, W, 3] as an .npz of lossless WebP sheets, with further arrays of N rows."""
        parts = np.split(pixels, len(pixels) // per_sheet)
        sheets = [self.picture_bytes(part.reshape(-1, part.shape[2], 3), "WEBP", lossless=True) for part in parts]
        offsets = np.cumsum([0, *map(len, sheets)])
        path.parent.mkdir(parents=True, exist_ok=True)
        columns.setdefault("number", np.arange(len(pixels)))
        np.savez(path, webp=np.frombuffer(b"".join(sheets), np.uint8), offsets=offsets, **columns)
        return path

    def zip(self, path: Path, members: dict[str, bytes]) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path


@pytest.fixture(scope="session")
def make() -> Maker:
    return Maker()
