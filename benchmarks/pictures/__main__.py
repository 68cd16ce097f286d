"""Regenerate the README's pictures from the bundled models: python -m benchmarks.pictures --out docs/pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from benchmarks.pictures.characters import draw_characters, draw_in_between
from benchmarks.pictures.edits import draw_edits
from benchmarks.pictures.processes import draw_processes
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.media import grid_image, save_png
from gaussiandiffusion.splats import Splats


@dataclass(frozen=True)
class Arguments:
    """Draw the pictures."""

    out: Path
    model: str = "mnist"
    seed: int = 0


def main(arguments: Arguments) -> None:
    pipeline = GaussianDiffusionPipeline.from_pretrained(arguments.model)
    grid = pipeline(num_samples=100, seed=arguments.seed)
    save_png(grid_image(to_uint8(grid.images), columns=20, scale=2), arguments.out / "samples.png")
    for name, file in (("fashion-mnist", "clothes.png"), ("cifar10", "photographs.png")):
        drawn = GaussianDiffusionPipeline.from_pretrained(name)(num_samples=60, seed=arguments.seed)
        save_png(grid_image(to_uint8(drawn.images), columns=20, scale=2), arguments.out / file)
    draw_characters(arguments.out, arguments.seed)
    draw_in_between(arguments.out, arguments.seed)
    draw_edits(arguments.out, arguments.seed)
    draw_processes(arguments.out, arguments.model, arguments.seed)
    # One set at growing sizes, and its splats as ellipses of equal brightness.
    one = grid.splats[3]
    sizes = [to_uint8(render(one, 224)), to_uint8(render(outlines(one), 224))]
    turned = one.rotate(30).scale(0.8)
    sizes.append(to_uint8(render(turned, 224)))
    save_png(grid_image(torch.cat(sizes), columns=3), arguments.out / "one-set.png")


def outlines(splats: Splats) -> Splats:
    """The lit splats, each shrunk to a third, so that they can be told apart."""
    lit = splats.select((splats.colors[0] > 0.05).any(-1))
    return Splats(lit.means, lit.sigmas / 3, lit.rhos, torch.full_like(lit.colors, 0.9), lit.canvas)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
