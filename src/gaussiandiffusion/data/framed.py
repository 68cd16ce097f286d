"""Pictures brought to the size and mode that a `Framing` asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from gaussiandiffusion.data.decoding import Convert, to_pixels
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.data.modes import in_mode
from gaussiandiffusion.data.stream import ImageSource

# Pictures of few colours are drawn pixel by pixel: scaled by a whole factor, their pixels are repeated or averaged.
PIXEL_ART_COLOURS = 64


def converter(framing: Framing | None) -> Convert | None:
    """`frame` with that framing, for what opens picture files; None where it changes nothing."""
    return (lambda picture: frame(picture, framing)) if framing else None


def framed(source: ImageSource, framing: Framing | None) -> ImageSource:
    """A source whose images are brought into the frame as they are read."""
    if not framing:
        return source

    def fetch(positions: np.ndarray) -> np.ndarray:
        return frame_pixels(source.fetch(positions), framing)

    return replace(source, canvas=framing.shape(source.canvas), fetch=fetch)


def frame_pixels(images: np.ndarray, framing: Framing) -> np.ndarray:
    """Images uint8 [n, C, H, W] as `frame` makes them, uint8 [n, C', H', W']."""
    _, channels, height, width = images.shape
    height, width, channels = framing.shape((height, width, channels))
    framed = np.empty((len(images), channels, height, width), np.uint8)
    for row, image in zip(framed, images, strict=True):
        picture = Image.fromarray(np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)))
        row[:] = to_pixels(frame(picture, framing), "the image")
    return framed


def frame(picture: Image.Image, framing: Framing) -> Image.Image:
    """A picture in the mode and on the canvas of a framing.

    Args:
        picture: of 8 bits a channel, upright.

    Returns:
        L, RGB or RGBA; of the framing's canvas, if it has one. Transparent pictures are scaled by what they show:
        a pixel counts by its alpha, so that hidden colours never come to light.
    """
    picture = in_mode(picture, framing.mode)
    if framing.canvas is None:
        return picture
    side = framing.canvas
    width, height = picture.size
    if framing.fit == "stretch":
        return _scaled(picture, (side, side))
    if framing.fit == "pad":
        longer = max(width, height)
        scaled = _scaled(picture, (max(1, round(width * side / longer)), max(1, round(height * side / longer))))
        padded = Image.new(picture.mode, (side, side))  # of zeros: black, and transparent where there is alpha
        padded.paste(scaled, ((side - scaled.width) // 2, (side - scaled.height) // 2))
        return padded
    shorter = min(width, height)
    left, top = (width - shorter) // 2, (height - shorter) // 2
    return _scaled(picture.crop((left, top, left + shorter, top + shorter)), (side, side))


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scaled to a size; colours are weighted by their alpha (Pillow premultiplies RGBA for the purpose)."""
    if picture.size == size:
        return picture
    filter_ = Image.Resampling.LANCZOS
    whole = all(_whole_factor(old, new) for old, new in zip(picture.size, size, strict=True))
    if whole and picture.getcolors(PIXEL_ART_COLOURS) is not None:
        larger = size[0] >= picture.width and size[1] >= picture.height
        filter_ = Image.Resampling.NEAREST if larger else Image.Resampling.BOX
    return picture.resize(size, filter_)


def _whole_factor(old: int, new: int) -> bool:
    return max(old, new) % min(old, new) == 0
