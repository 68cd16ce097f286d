"""Kinds of colour and depth of picture files: what each becomes."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.data import load_images
from gaussiandiffusion.data.decoding import decode, look
from gaussiandiffusion.ground.errors import InputError


def packed(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def deep_png(pixels: np.ndarray) -> bytes:
    """uint16 [H, W, 3] as a PNG of 16 bits a channel, which Pillow does not write."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    header = struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


DEEP = {
    "16 bits": (np.array([[0, 257, 32768, 65535]], np.uint16), [0, 1, 128, 255]),
    "16 bits, dark": (np.array([[0, 0, 0, 2570]], np.uint16), [0, 0, 0, 10]),
    "float of [0, 1]": (np.array([[0.25, 0.5, 0.5, 1]], np.float32), [64, 128, 128, 255]),
    "float beyond": (np.array([[-1, 0, 1, 3]], np.float32), [0, 64, 128, 255]),
    "float of one value": (np.array([[9, 9, 9, 9]], np.float32), [0, 0, 0, 0]),
    "integers of 32 bits": (np.array([[-100, 0, 400, 900]], np.int32), [0, 26, 128, 255]),
}


@pytest.mark.parametrize("case", DEEP)
def test_deep_grey_is_scaled_to_eight_bits(tmp_path, case):
    values, expected = DEEP[case]
    for name, kind in (("x.tif", "TIFF"), *([("x.png", "PNG")] if values.dtype == np.uint16 else [])):
        (tmp_path / name).write_bytes(packed(Image.fromarray(values), kind))
        loaded = load_images(tmp_path / name)
        assert loaded.images.shape == (1, 1, 1, 4)
        assert loaded.images.ravel().tolist() == expected


def test_deep_colour_is_scaled_to_eight_bits(tmp_path, make):
    values = make.noise(5, 4, 3).astype(np.uint16) * 256 + make.noise(5, 4, 3, seed=1)
    (tmp_path / "x.png").write_bytes(deep_png(values))
    loaded = load_images(tmp_path / "x.png").images[0].transpose(1, 2, 0)
    assert np.abs(loaded - values / 257).max() <= 1


def test_values_that_are_no_numbers_are_refused(tmp_path):
    (tmp_path / "x.tif").write_bytes(packed(Image.fromarray(np.array([[0, np.nan]], np.float32)), "TIFF"))
    with pytest.raises(InputError, match=r"x\.tif: holds values that are no numbers"):
        load_images(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("mode", "kind", "channels"),
    [("1", "PNG", 1), ("L", "TIFF", 1), ("P", "PNG", 3), ("CMYK", "JPEG", 3), ("CMYK", "TIFF", 3), ("YCbCr", "TIFF", 3),
     ("LA", "PNG", 4), ("RGBA", "WEBP", 4)],
)  # fmt: skip
def test_kinds_become_grey_colour_or_transparent(mode, kind, channels):
    options = {"lossless": True} if kind == "WEBP" else {}
    own = "RGBA" if channels == 4 else "RGB"
    picture = Image.new("RGBA", (7, 5), (200, 10, 30, 200)).convert(own).convert(mode)
    content = packed(picture, kind, **options)
    assert decode(content, "x").shape == (channels, 5, 7)
    assert look(content, "x") == (channels, 5, 7)


def test_colours_of_cmyk_are_those_shown():
    content = packed(Image.new("RGB", (8, 8), (200, 40, 90)).convert("CMYK"), "JPEG", quality=100)
    assert np.abs(decode(content, "x.jpg")[:, 4, 4].astype(int) - (200, 40, 90)).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_as_their_camera_says(kind, orientation):
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:8, :16] = 255  # the corner at the top left of what the camera saw as it lay
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = decode(content := packed(Image.fromarray(pixels), kind, exif=exif), "x")
    sideways = orientation >= 5
    assert upright.shape == ((3, 32, 16) if sideways else (3, 16, 32))
    assert look(content, "x") == upright.shape
    corners = [upright[0, y, x] > 128 for y in (2, -3) for x in (2, -3)]  # top left, top right, below
    assert corners.index(True) == (0, 1, 3, 2, 0, 1, 3, 2)[orientation - 1]
    assert sum(corners) == 1
