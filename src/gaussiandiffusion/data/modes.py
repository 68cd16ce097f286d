"""The kinds of colour that picture files have, brought to three: L (grey), RGB and RGBA of 8 bits a channel."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gaussiandiffusion.data.framing import Mode
from gaussiandiffusion.ground.errors import InputError

DEEP = ("I", "F")  # Pillow's modes of more than 8 bits begin so: I;16, I, F
SIXTEEN_BITS = 65535


def plain(picture: Image.Image, where: str) -> Image.Image:
    """An opened picture as L, RGB or RGBA: grey stays grey, anything with transparency becomes RGBA, the rest RGB.

    Grey of 16 bits is scaled by 65535. Grey of 32 bits has no greatest value: floats in [0, 1] are taken as they are,
    others and integers by the picture's own range, least to greatest.

    Raises:
        InputError: values that are no numbers, or a kind of colour that has no way to RGB.
    """
    if picture.mode.startswith(DEEP):  # what is transparent in them is not known to decoders
        return _of_eight_bits(picture, where)
    if picture.mode == (mode := nearest(picture)):
        return picture
    try:
        return picture.convert(mode)
    except ValueError:
        raise InputError(
            f"{where}: has colours of the kind {picture.mode}, which is not read; save it as RGB"
        ) from None


def nearest(picture: Image.Image) -> Mode:
    """The mode that `plain` gives a picture."""
    if picture.mode in ("1", "L") or picture.mode.startswith(DEEP):
        return "RGBA" if picture.mode == "L" and picture.has_transparency_data else "L"
    return "RGBA" if picture.has_transparency_data else "RGB"


def _of_eight_bits(picture: Image.Image, where: str) -> Image.Image:
    values: np.ndarray = np.asarray(picture).astype(np.float32 if picture.mode.startswith("I;16") else np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{where}: holds values that are no numbers; save it with finite ones")
    low, high = float(values.min()), float(values.max())
    if picture.mode.startswith("I;16"):
        low, high = 0, SIXTEEN_BITS
    elif picture.mode == "F" and low >= 0 and high <= 1:
        low, high = 0, 1
    scaled = (values - low) * (255 / (high - low or 1))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def in_mode(picture: Image.Image, mode: Mode | None) -> Image.Image:
    """A `plain` picture in a mode (None: its own): RGB and L show what is transparent over black."""
    if picture.mode == "RGBA" and mode in ("RGB", "L"):
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (0, 0, 0, 255)), picture).convert("RGB")
    return picture.convert(mode or picture.mode)
