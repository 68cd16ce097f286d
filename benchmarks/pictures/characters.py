"""Pictures of the bundled model `sprites`: many characters, one's sheet, and some that walk."""

from __future__ import annotations

from pathlib import Path

import torch

from gaussiandiffusion.gallery import make_character
from gaussiandiffusion.gallery.animation import KEYED
from gaussiandiffusion.gallery.sheet import sheet_pixels
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering.media import grid_image, save_animation, save_png, to_image

WALKERS, FPS = 8, 24
MOST = 300_000  # bytes of a GIF


def draw_characters(out: Path, seed: int) -> None:
    """Write `characters.png`, `character-sheet.png` and `walk.gif`."""
    pipeline = GaussianDiffusion.from_pretrained("sprites")
    many = pipeline(num_samples=60, seed=seed)
    save_png(grid_image(to_uint8(many.images), columns=20, scale=2), out / "characters.png")
    asked = {"hair": "green", "topwear": "leather-vest"}
    rows = make_character(pipeline, asked, seed=seed).frames()
    save_png(to_image(sheet_pixels([to_uint8(row) for row in rows])), out / "character-sheet.png")
    walkers = [
        make_character(pipeline, {"action": "walk", "direction": direction}, number=number, seed=seed)
        for number, direction in zip(range(WALKERS), ("front", "left", "right", "front") * 2, strict=True)
    ]
    walks = [walker.frames(FPS)[0] for walker in walkers]
    frames = [grid_image(to_uint8(torch.stack(shown)), columns=WALKERS, scale=3) for shown in zip(*walks, strict=True)]
    save_animation(frames, out / "walk.gif", milliseconds=round(1000 / FPS), hold=round(1000 / FPS), most=MOST)


def draw_in_between(out: Path, seed: int) -> None:
    """Write `in-between.png`: two drawn frames and three between them, by splats and by pixels."""
    pipeline = GaussianDiffusion.from_pretrained("sprites")
    character = make_character(pipeline, {"action": "walk", "direction": "left"}, number=1, seed=seed)
    splats = character.frames(4 * KEYED)[0][:5]
    first, last = splats[0], splats[-1]
    pixels = torch.stack([torch.lerp(first, last, share / 4) for share in range(5)])
    save_png(grid_image(to_uint8(torch.cat([splats, pixels])), columns=5, scale=3), out / "in-between.png")
