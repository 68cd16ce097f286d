"""8-bit pictures: grids, PNG, and animations as GIF, APNG and MP4."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path, write_bytes
from gaussiandiffusion.rendering.palette import MOST, Indexed, common_mode, indexed

GAP = 2  # pixels between the pictures of a grid
SUFFIXES = (".gif", ".mp4", ".apng")  # of animations; .png as .apng
SHOWN, HELD = 120, 1500  # milliseconds of a frame, and of the last
GIF_BYTES = 1_000_000  # that a GIF is brought below, as far as some fewer colours do it
GIF_COLORS = (MOST, 192, 128, 96, 64, 48, 32, 24)  # tried in turn, of coloured frames down to 48
GIF_HUES = 48
GIF_SIDE, MP4_SIDE = 65_535, 16_384  # pixels: what the formats, or their encoders, take


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


def save_animation(
    frames: Sequence[Image.Image],
    path: Path,
    *,
    milliseconds: int | Sequence[int] = SHOWN,
    hold: int = HELD,
    most: int | None = GIF_BYTES,
) -> None:
    """Write an animation of the kind that the file's suffix says: GIF, APNG (.apng, .png) or MP4.

    Args:
        frames: at least one, of one size.
        milliseconds: how long a frame is shown, or each; GIF counts in tens.
        hold: how long the last one is.
        most: bytes that a GIF is to stay below, by fewer colours if need be; None: as many colours as can be.

    Raises:
        InputError: another suffix, frames too large for the format, or MP4 without the extra `[video]`.
    """
    suffix = path.suffix.lower()
    each = [milliseconds] * len(frames) if isinstance(milliseconds, int) else list(milliseconds)
    durations = [*each[:-1], hold]
    if suffix == ".gif":
        _save_gif(frames, path, durations, most)
    elif suffix in (".apng", ".png"):
        _save_apng(frames, path, durations)
    elif suffix == ".mp4":
        shortest = max(1, min(durations))
        times = [round(shown / shortest) for shown in durations]
        repeated = [frame for frame, count in zip(frames, times, strict=True) for _ in range(count)]
        save_mp4(repeated, path, fps=max(1, round(1000 / shortest)))
    else:
        raise InputError(f"{path}: no kind of animation has the suffix '{path.suffix}'; choose .gif, .apng or .mp4")


def _save_gif(frames: Sequence[Image.Image], path: Path, durations: list[int], most: int | None) -> None:
    """Write a looping GIF of one palette, in which a frame tells only what differs from the one before."""
    _check_side(frames[0], path, GIF_SIDE)
    fewest = GIF_COLORS[-1] if common_mode(frames) == "L" else GIF_HUES
    room = float(MOST)  # colours that may be few enough
    for colors in GIF_COLORS:
        if colors > room and colors > fewest:
            continue
        written = _gif(indexed(frames, colors), durations)
        if most is None or len(written) <= most or colors <= fewest:
            break
        room = colors * most / len(written)  # bytes fall more slowly than colours do
    write_bytes(path, written)


def _gif(pictures: Indexed, durations: list[int]) -> bytes:
    palette = pictures.colors.tobytes()
    told, before = [], None
    for frame in pictures.frames:
        shown = frame
        if before is not None and not pictures.alpha:
            shown = np.where(frame == before, np.uint8(pictures.clear), frame)
        image = Image.frombytes("P", shown.shape[::-1], shown.tobytes())
        image.putpalette(palette)
        told.append(image)
        before = frame
    held = io.BytesIO()
    # A clear pixel leaves the frame before as it is (disposal 1); where it is to be clear itself, nothing is left (2).
    told[0].save(
        held, format="GIF", save_all=True, append_images=told[1:], duration=durations, loop=0, palette=palette,
        transparency=pictures.clear, disposal=2 if pictures.alpha else 1, optimize=False,
    )  # fmt: skip
    return held.getvalue()


def _save_apng(frames: Sequence[Image.Image], path: Path, durations: list[int]) -> None:
    """Write a looping animated PNG, without loss."""
    mode = common_mode(frames)
    first, *rest = [frame.convert(mode) for frame in frames]
    with atomic_path(path) as temporary:
        first.save(temporary, format="PNG", save_all=True, append_images=rest, duration=durations, loop=0)


def save_mp4(frames: Sequence[Image.Image], path: Path, *, fps: int = 8) -> None:
    """Write an H.264 video.

    Raises:
        InputError: the extra `[video]` is not installed, or frames too large.
    """
    try:
        import av
    except ImportError:
        raise InputError('MP4 needs PyAV; run: pip install "gaussiandiffusion[video]"') from None
    _check_side(frames[0], path, MP4_SIDE)
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


def _check_side(frame: Image.Image, path: Path, most: int) -> None:
    if max(frame.size) > most:
        kind = path.suffix.lstrip(".").upper()
        raise InputError(f"{path}: frames of {frame.width}x{frame.height} pixels are too large for {kind}, "
                         f"which holds {most} a side; ask for fewer or smaller pictures")  # fmt: skip
