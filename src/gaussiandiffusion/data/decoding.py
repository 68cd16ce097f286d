"""One picture file's bytes to pixels, or one sentence that says what is wrong with them."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps

from gaussiandiffusion.data.framing import CHANNELS_OF
from gaussiandiffusion.data.modes import nearest, plain
from gaussiandiffusion.ground.errors import InputError

Convert = Callable[[Image.Image], Image.Image]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF"}
FORMATS |= {".tif": "TIFF", ".tiff": "TIFF"}
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # the tag of a camera's position, and its values for "on its side"


def is_picture(name: str) -> bool:
    """Whether the name ends like a picture's."""
    return os.path.splitext(name)[1].lower() in FORMATS


def decode(content: bytes, where: str, convert: Convert | None = None) -> np.ndarray:
    """Decode one picture, turned upright if its camera says so; of an animation the first frame.

    Grey stays grey; palettes become RGB; anything with transparency becomes RGBA; deeper pictures are scaled to 8 bits,
    see `plain` (of 16-bit colour, the decoder keeps the upper byte).

    Args:
        content: the file's bytes.
        where: its address; its ending, if it has one, must be the format's.
        convert: applied to the picture, which is then of 8 bits and L, RGB or RGBA.

    Returns:
        uint8 [C, H, W].

    Raises:
        InputError: unreadable, cut short, another format than its name says, or too large.
    """
    with _opened(content, where) as image:
        picture = plain(upright(image), where)
        return to_pixels(picture if convert is None else convert(picture), where)


def look(content: bytes, where: str) -> tuple[int, int, int]:
    """Channels, height and width of what `decode` would make of a picture, by its header; raises alike."""
    with _opened(content, where) as image:
        width, height = image.size
        # TIFF is turned already; a PNG without the tag at its front would be decoded in search of one at its end.
        tagged = image.format != "TIFF" and (image.format != "PNG" or "exif" in image.info)
        if tagged and image.getexif().get(ORIENTATION, 1) in SIDEWAYS:
            width, height = height, width
        return CHANNELS_OF[nearest(image)], height, width


def upright(image: Image.Image) -> Image.Image:
    """A picture turned as its camera says (EXIF's orientation), if it says so."""
    return ImageOps.exif_transpose(image)


@contextmanager
def _opened(content: bytes, where: str) -> Iterator[Image.Image]:
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
            yield image
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(f"{where}: is not a {named or 'picture'} file; get it again, or take it out") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise InputError(f"{where}: has too many pixels; make it smaller") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise InputError(f"{where}: is damaged or cut short ({error}); get the file again") from error


def to_pixels(image: Image.Image, where: str) -> np.ndarray:
    """An opened picture as uint8 [C, H, W]; kinds of colour, and errors, as `plain` has them."""
    pixels = np.asarray(plain(image, where))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
