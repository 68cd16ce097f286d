"""One palette for all frames of an animation, and the frames in it, as GIF keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

MOST = 255  # colours; the last of 256 indices stands for pixels that are clear, or as in the frame before
LOOKED_AT = 2**18  # pixels of all frames together that a palette is chosen by
OPAQUE = 128  # alpha from which on a pixel is seen


@dataclass(frozen=True, eq=False)
class Indexed:
    """Frames of one palette.

    Attributes:
        colors: RGB, no two alike; the last is for `clear` pixels.
        frames: indices of each.
        alpha: whether clear pixels are transparent; otherwise there are none.
    """

    colors: UInt8[ndarray, "p 3"]
    frames: list[UInt8[ndarray, "h w"]]
    alpha: bool

    @property
    def clear(self) -> int:
        """The index that is no colour."""
        return len(self.colors) - 1


def common_mode(frames: Sequence[Image.Image]) -> str:
    """The plainest of L, RGB and RGBA that holds them all."""
    modes = {frame.mode for frame in frames}
    if any(frame.has_transparency_data for frame in frames):
        return "RGBA"
    return "L" if modes <= {"L", "1"} else "RGB"


def indexed(frames: Sequence[Image.Image], most: int = MOST) -> Indexed:
    """Bring frames to one palette of at most so many colours, without dithering, which would flicker.

    Pictures of no more colours keep them. Greys are otherwise evenly spaced, colours chosen by median cut (Heckbert,
    "Color Image Quantization for Frame Buffer Display", 1982) and moved to their pixels' means.

    Args:
        frames: of one size, and any modes.
        most: 2 to 255.
    """
    mode = common_mode(frames)
    if mode == "L":
        return _greys([np.asarray(frame.convert("L")) for frame in frames], most)
    if mode == "RGB":
        return _colors([frame.convert("RGB") for frame in frames], most, None)
    full = [frame.convert("RGBA") for frame in frames]
    seen = [np.asarray(frame.getchannel("A")) >= OPAQUE for frame in full]
    return _colors([frame.convert("RGB") for frame in full], most, seen)


def _greys(frames: list[ndarray], most: int) -> Indexed:
    counts = sum(np.bincount(frame.ravel(), minlength=256) for frame in frames)
    levels = np.flatnonzero(counts)
    if len(levels) > most:
        levels = np.rint(np.linspace(levels[0], levels[-1], most)).astype(int)
    nearest = np.abs(np.arange(256)[:, None] - levels).argmin(1).astype(np.uint8)
    colors = np.repeat(levels[:, None], 3, 1).astype(np.uint8)
    return Indexed(_with_clear(colors), [nearest[frame] for frame in frames], alpha=False)


def _colors(frames: list[Image.Image], most: int, seen: list[ndarray] | None) -> Indexed:
    pixels = [np.asarray(frame).reshape(-1, 3) for frame in frames]
    if seen is not None:
        pixels = [part[mask.ravel()] for part, mask in zip(pixels, seen, strict=True)]
    every = max(1, sum(map(len, pixels)) // LOOKED_AT)
    looked = np.concatenate([part[::every] for part in pixels])
    few = Image.fromarray(looked[None]).getcolors(most) if every == 1 and len(looked) else None
    colors = _chosen(looked, most) if few is None else np.array([color for _, color in few], np.uint8)
    colors = np.unique(colors, axis=0)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([colors, np.repeat(colors[:1], 256 - len(colors), 0)]).tobytes())
    found = []
    for i, frame in enumerate(frames):
        index = np.array(frame.quantize(palette=palette, dither=Image.Dither.NONE))
        index[index >= len(colors)] = 0  # the filling repeats the first
        if seen is not None:
            index[~seen[i]] = len(colors)
        found.append(index)
    return Indexed(_with_clear(colors), found, alpha=seen is not None)


def _chosen(pixels: ndarray, most: int) -> UInt8[ndarray, "p 3"]:
    """Colours for pixels (n, 3); a colour counts by the root of its pixels, so that thin lines keep theirs."""
    if not len(pixels):
        return np.zeros((1, 3), np.uint8)
    coarse = pixels.astype(np.int64) >> 3
    bins, place, counts = np.unique(coarse @ [1024, 32, 1], return_inverse=True, return_counts=True)
    sums = [np.bincount(place.ravel(), pixels[:, channel], len(bins)) for channel in range(3)]
    means = np.rint(np.stack(sums, -1) / counts[:, None]).astype(np.uint8)
    weighed = Image.fromarray(np.repeat(means, np.ceil(np.sqrt(counts)).astype(int), 0)[None])
    found = weighed.quantize(most, method=Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    return np.frombuffer(bytes(found.getpalette("RGB") or []), np.uint8).reshape(-1, 3)[:most]


def _with_clear(colors: ndarray) -> ndarray:
    """One more colour, which is none of them."""
    taken = {tuple(color) for color in colors.tolist()}
    other = next((i, 255 - i, i) for i in range(256) if (i, 255 - i, i) not in taken)
    return np.concatenate([colors, np.array([other], np.uint8)])
