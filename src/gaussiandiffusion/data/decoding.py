"""One picture file's bytes to pixels, or one sentence that says what is wrong with them."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from gaussiandiffusion.ground.errors import InputError

Convert = Callable[[Image.Image], Image.Image]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF"}
MODE_OF = {1: "L", 3: "RGB", 4: "RGBA"}
PNG_DEPTH_AT = 24  # offset of the bit depth in a PNG file


def is_picture(name: str) -> bool:
    """Whether the name ends like a picture's."""
    return os.path.splitext(name)[1].lower() in FORMATS


def decode(content: bytes, where: str, convert: Convert | None = None) -> np.ndarray:
    """Decode one picture, turned upright if its camera says so; of an animation the first frame.

    Grey stays grey; palettes become RGB; anything with transparency becomes RGBA.

    Args:
        content: the file's bytes.
        where: its address; its ending, if it has one, must be the format's.
        convert: applied to the opened picture.

    Returns:
        uint8 [C, H, W].

    Raises:
        InputError: unreadable, cut short, another format than its name says, too large, or 16 bits a channel.
    """
    named = FORMATS.get(os.path.splitext(where)[1].lower())
    if not content:
        raise InputError(f"{where}: is empty; get the file again, or take it out")
    try:
        with Image.open(io.BytesIO(content), formats=sorted(set(FORMATS.values()))) as image:
            found = "JPEG" if image.format == "MPO" else image.format  # MPO: a JPEG with a preview behind it
            if found != (named or found):
                raise InputError(f"{where}: is really a {found} file; rename it to .{str(found).lower()}")
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise Image.DecompressionBombError
            _check_depth(image, content, where)
            upright = ImageOps.exif_transpose(image)
            return to_pixels(upright if convert is None else convert(upright), where)
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(f"{where}: is not a {named or 'picture'} file; get it again, or take it out") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise InputError(f"{where}: has too many pixels; make it smaller") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise InputError(f"{where}: is damaged or cut short ({error}); get the file again") from error


def to_pixels(image: Image.Image, where: str) -> np.ndarray:
    """An opened picture as uint8 [C, H, W]; kinds of colour as `decode` has them.

    Raises:
        InputError: more than 8 bits a channel.
    """
    if image.mode[0] in "IF":
        raise _too_deep(where)
    pixels = np.asarray(image.convert(MODE_OF[_channels(image)]))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _check_depth(image: Image.Image, content: bytes, where: str) -> None:
    # Pillow quietly drops the lower byte of 16-bit colour PNGs, hence the look into the file itself.
    if image.format == "PNG" and content[PNG_DEPTH_AT] == 16:
        raise _too_deep(where)


def _too_deep(where: str) -> InputError:
    return InputError(f"{where}: has more than 8 bits a channel; convert it to 8 bits first")


def _channels(image: Image.Image) -> int:
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in ("1", "L") else 3
