"""Draw the pictures of docs/model-edits.md: python -m benchmarks.editing.pictures --out docs/pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from PIL import Image, ImageDraw

from gaussiandiffusion import edit
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.media import grid_image, save_png
from gaussiandiffusion.splats import Canvas, Splats

STRENGTHS = (0.1, 0.3, 0.5, 0.7, 1.0)
SIZE = 56  # pixels of a digit
STROKES = {  # of sketched digits, from x, y to x, y
    0: [(0, -0.6, -0.35, -0.3), (-0.35, -0.3, -0.35, 0.3), (-0.35, 0.3, 0, 0.6), (0, 0.6, 0.35, 0.3),
        (0.35, 0.3, 0.35, -0.3), (0.35, -0.3, 0, -0.6)],
    1: [(0.15, -0.6, 0.1, -0.2), (0.1, -0.2, 0, 0.2), (0, 0.2, -0.1, 0.6)],
    2: [(-0.35, -0.4, 0, -0.6), (0, -0.6, 0.3, -0.3), (0.3, -0.3, -0.1, 0.2), (-0.1, 0.2, -0.35, 0.5),
        (-0.35, 0.55, 0.4, 0.55)],
    4: [(-0.3, -0.6, -0.4, -0.05), (-0.4, -0.05, 0.3, -0.05), (0.3, -0.5, 0.2, 0), (0.2, 0, 0.1, 0.6)],
    7: [(-0.4, -0.55, 0, -0.55), (0, -0.55, 0.4, -0.55), (0.4, -0.5, 0.25, -0.1), (0.25, -0.1, 0.05, 0.3),
        (0.05, 0.3, -0.05, 0.6)],
}  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """Draw the pictures."""

    out: Path
    model: str = "mnist"
    seed: int = 3


def main(arguments: Arguments) -> None:
    pipe, seed = GaussianDiffusion.from_pretrained(arguments.model), arguments.seed
    ten = pipe(num_samples=10, seed=seed)
    sets, labels = ten.splats, ten.labels
    assert sets is not None

    def save(name: str, rows: list) -> None:
        pictures = torch.cat([to_uint8(render(row, SIZE)) for row in rows])
        save_png(grid_image(pictures, columns=len(rows[0])), arguments.out / f"{name}.png")

    varied = [edit.vary(pipe, sets, strength, seed, class_labels=labels).splats for strength in STRENGTHS]
    save("variations", [sets, *varied])

    keep = edit.select(sets, "inside(-1,-1,1,0)")
    kept = replace(sets, colors=sets.colors * keep[..., None])
    mended = [edit.inpaint(pipe, sets, keep, each, class_labels=labels).splats for each in range(3)]
    save("inpainting", [sets, kept, *mended])

    drawn, shown = sketches(sets.canvas)
    completed = [edit.complete(pipe, drawn, each, class_labels=shown).splats for each in range(3)]
    mended = edit.complete(pipe, drawn, seed, until=0.3, class_labels=shown).splats
    save("sketches", [drawn, *completed, mended])

    own = {"class_labels": labels}
    others = [edit.transfer(pipe, sets, own=own, class_labels=digit).splats for digit in (2, 5, 7)]
    save("transfers", [sets, *others])

    ways = [edit.interpolate(pipe, [sets[2], sets[7]], 10, through=way).splats for way in ("sets", "noise")]
    seeds = edit.interpolate(pipe, [1, 2, 3], 10, class_labels=5).splats
    save("interpolations", [*ways, seeds])

    target = bar()
    led = [edit.guide(pipe, edit.Target(target, pull), 10, seed, class_labels=labels).splats for pull in (0.5, 1, 2)]
    save("guided", [sets, *led])
    save_png(target.resize((2 * SIZE, 2 * SIZE), Image.Resampling.NEAREST), arguments.out / "guided-target.png")


def sketches(canvas: Canvas) -> tuple[Splats, list[int]]:
    """Digits of a few splats, one a stroke, and what they show; filled up with splats that draw nothing."""
    most = max(map(len, STROKES.values()))
    ends = torch.tensor([[*strokes, *[strokes[0]] * (most - len(strokes))] for strokes in STROKES.values()])
    way = (ends[..., 2:] - ends[..., :2]) / 4  # of two sigmas to each side
    covariance = way[..., None] * way[..., None, :] + 0.06**2 * torch.eye(2)
    sigmas = covariance.diagonal(dim1=-2, dim2=-1).sqrt()
    rhos = covariance[..., 0, 1] / sigmas.prod(-1)
    drawn = torch.tensor([[place < len(strokes) for place in range(most)] for strokes in STROKES.values()])
    colors = 0.7 * drawn[..., None].float()
    return Splats((ends[..., :2] + ends[..., 2:]) / 2, sigmas, rhos, colors, canvas), [*STROKES]


def bar() -> Image.Image:
    """A slanting bar, as a target."""
    picture = Image.new("L", (28, 28))
    ImageDraw.Draw(picture).line((7, 23, 20, 5), 255, 4)
    return picture


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
