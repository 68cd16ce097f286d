"""8-bit pictures: grids, PNG, GIF and MP4."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path

GAP = 2  # pixels between the pictures of a grid


def to_image(pixels: UInt8[Tensor, "c h w"]) -> Image.Image:
    """One picture as a PIL image: L, RGB or RGBA."""
    array = pixels.permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def grid_image(pixels: UInt8[Tensor, "n c h w"], columns: int | None = None, scale: int = 1) -> Image.Image:
    """Pictures side by side, row by row, on dark grey.

    Args:
        columns: default: the square root of N, or 10 when N is a multiple of 10.
        scale: enlarge by whole pixels.
    """
    count, channels, height, width = pixels.shape
    if columns is None:
        columns = 10 if count % 10 == 0 and count <= 100 else math.ceil(math.sqrt(count))
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), 40, np.uint8)
    for i, picture in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
        top, left = GAP + i // columns * (height + GAP), GAP + i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    image = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def save_png(image: Image.Image, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")


def save_gif(
    frames: Sequence[Image.Image], path: Path, *, milliseconds: int | Sequence[int] = 120, hold: int = 1500
) -> None:
    """Write a looping GIF.

    Args:
        milliseconds: how long a frame is shown, or each.
        hold: how long the last one is.
    """
    each = [milliseconds] * len(frames) if isinstance(milliseconds, int) else list(milliseconds)
    durations = [*each[:-1], hold]
    with atomic_path(path) as temporary:
        frames[0].save(
            temporary, format="GIF", save_all=True, append_images=list(frames[1:]), duration=durations, loop=0
        )


def save_mp4(frames: Sequence[Image.Image], path: Path, *, fps: int = 8) -> None:
    """Write an H.264 video.

    Raises:
        InputError: the extra `[video]` is not installed.
    """
    try:
        import av
    except ImportError:
        raise InputError('MP4 needs PyAV; run: pip install "gaussiandiffusion[video]"') from None
    width, height = (side + side % 2 for side in frames[0].size)  # H.264 wants even sides
    with atomic_path(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            picture = frame.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
            for packet in stream.encode(av.VideoFrame.from_image(picture)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
