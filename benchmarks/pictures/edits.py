"""The picture of docs/editing.md: a character and a digit, an edit each, in the order told there."""

from __future__ import annotations

from pathlib import Path

import torch

from gaussiandiffusion.edit import apply
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.media import grid_image, save_png

SIDE = 160  # pixels of a picture
Edits = tuple[tuple[tuple[str, ...], str | None], ...]  # operations and their selection

CHARACTER: Edits = (
    ((), None),
    (("recolor:hue=-130",), "inside(-1,-1,1,-0.1) & color(#d02848,45)"),
    (("recolor:palette=#f4d58d,#8d0801,#4c956c,#9fc2cc",), None),
    (("scale:factor=1.6", "move:y=-2px"), "inside(-1,-1,1,0)"),
    (("recolor:saturation=0", "opacity:factor=0.6"), "!inside(-1,-1,1,0)"),
    (("scale:factor=0.6,about=0,0.8", "duplicate:copies=2,x=0.45", "move:x=-0.45"), None),
)
DIGIT: Edits = (
    ((), None),
    (("shear:x=-0.5,about=center",), None),
    (("rotate:degrees=40", "move:x=0.2,y=-0.1"), "inside(-1,-1,1,0)"),
    (("delete",), "grow(drawn(0.2,0.3),0.12)"),
    (("scale:factor=0.4", "align:x=center,y=top", "duplicate:copies=2,y=0.6"), None),
    (("turn:quarters=1", "tile:columns=2,rows=2"), None),
)


def draw_edits(out: Path, seed: int) -> None:
    """Write `edits.png`: a row a subject."""
    rows = []
    for model, number, edits in (("sprites", 2, CHARACTER), ("mnist", 3, DIGIT)):
        splats = GaussianDiffusion.from_pretrained(model)(num_samples=number + 1, seed=seed).splats[number]
        edited = [apply(splats, list(operations), where=where) if operations else splats for operations, where in edits]
        rows += [to_uint8(render(each, SIDE)).expand(-1, 3, -1, -1) for each in edited]
    save_png(grid_image(torch.cat(rows), columns=len(CHARACTER)), out / "edits.png")
