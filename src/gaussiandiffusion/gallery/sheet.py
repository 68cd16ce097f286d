"""Writing a character as game engines take it: a PNG sheet, its JSON, and a GIF of every action."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from gaussiandiffusion.gallery.animation import KEYED
from gaussiandiffusion.gallery.character import Character
from gaussiandiffusion.gallery.layout import Layout, Strip
from gaussiandiffusion.gallery.timing import durations
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering.media import save_animation, save_png, to_image

SHEET, HASH, ARRAY, SETS, GIFS = "sheet.png", "sheet.json", "sheet.aseprite.json", "splats.safetensors", "animations"
GIF_HEIGHT = 128  # pixels that smaller pictures are enlarged to, by whole pixels
GIF_UNIT = 10  # milliseconds, in which GIF counts
HOLD = 600  # milliseconds that a GIF shows the last frame of what does not loop


def write_sheet(
    folder: str | os.PathLike[str], character: Character, *, fps: float = KEYED, size: int | None = None,
    told: Mapping[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    """Write `sheet.png`, `sheet.json`, `sheet.aseprite.json`, `animations/ACTION.gif` and, of a model of splats, the
    drawn frames' sets as `splats.safetensors`.

    A GIF shows the directions of an action side by side, in the order of the sheet.

    Args:
        folder: to write to; GIFs of an earlier sheet go.
        fps, size: see `Character.frames`.
        told: how it was made; goes into the JSON and the header of the sets.

    Returns:
        What was written.

    Raises:
        InputError: the folder cannot be written to.
    """
    folder, told = Path(folder), told or {}
    rows = [to_uint8(row) for row in character.frames(fps, size)]
    _, channels, height, width = rows[0].shape
    strips = [
        Strip(animation.name, durations(len(row), fps), animation.loops)
        for animation, row in zip(character.animations, rows, strict=True)
    ]
    layout = Layout(strips, width, height, channels)
    for old in (folder / GIFS).glob("*.gif"):
        old.unlink()
    save_png(to_image(sheet_pixels(rows)), folder / SHEET)
    write_json(folder / HASH, layout.as_hash(SHEET, told))
    write_json(folder / ARRAY, layout.as_array(SHEET, told))
    for action in dict.fromkeys(animation.action for animation in character.animations):
        chosen = [i for i, animation in enumerate(character.animations) if animation.action == action]
        _write_gif([rows[i] for i in chosen], folder / GIFS / f"{action}.gif", fps, strips[chosen[0]].loops)
    written = [SHEET, HASH, ARRAY, f"{GIFS}/"]
    if character.splats is not None:
        character.splats.to("cpu").save(folder / SETS, conditions=character.conditions, source=dict(told))
        written.append(SETS)
    return written


def sheet_pixels(rows: Sequence[UInt8[Tensor, "_ c h w"]]) -> UInt8[Tensor, "c _ _"]:
    """Rows of pictures below each other, from the left; cells without a picture are 0, which is clear where there is
    alpha."""
    _, channels, height, width = rows[0].shape
    sheet = torch.zeros(channels, len(rows) * height, max(map(len, rows)) * width, dtype=torch.uint8)
    for i, row in enumerate(rows):
        sheet[:, i * height : (i + 1) * height, : len(row) * width] = torch.cat(list(row), -1)
    return sheet


def _write_gif(rows: Sequence[UInt8[Tensor, "_ c h w"]], path: Path, fps: float, loops: bool) -> None:
    count = max(map(len, rows))
    scale = max(1, math.ceil(GIF_HEIGHT / rows[0].shape[2]))
    beside = [to_image(torch.cat([row[min(i, len(row) - 1)] for row in rows], -1)) for i in range(count)]
    pictures = [p.resize((p.width * scale, p.height * scale), Image.Resampling.NEAREST) for p in beside]
    times = durations(count, fps, GIF_UNIT)
    save_animation(pictures, path, milliseconds=times, hold=times[-1] if loops else HOLD)
