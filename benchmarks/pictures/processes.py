"""Pictures of the processes, of docs/animation.md: python -m benchmarks.pictures.processes --out docs/pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.gallery import films
from gaussiandiffusion.gallery.processes import trajectory
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion

MOST = 300_000  # bytes of a GIF
FPS = 10
RISING = [i / 20 for i in range(21)]
CHOSEN = [0.0, 0.25, 0.5, 0.75, 1.0]


@dataclass(frozen=True)
class Arguments:
    """Draw the pictures of the processes alone."""

    out: Path
    model: str = "mnist"
    seed: int = 0


def draw_processes(out: Path, model: str, seed: int) -> None:
    """Write `materialisation.gif`, `noising.gif`, `noising.png`, `ellipses.gif`, `becoming.png`, `noise.png`,
    `between.gif` and `encoding.gif`."""
    pipeline = GaussianDiffusion.from_pretrained(model)
    representation = pipeline.representation
    there_and_back = [*RISING, *RISING[-2:0:-1]]

    ten = trajectory(pipeline, 10, seed=seed)
    films.write_film(films.reverse(ten, films.Look(80)), out / "materialisation.gif", RISING[::-1], FPS, MOST)
    two = trajectory(pipeline, 2, seed=seed)
    noising = films.forward(pipeline, two.data, films.Look(128, pixels=True), seed)
    films.write_film(noising, out / "noising.gif", RISING, FPS, MOST)
    films.write_film(noising, out / "noising.png", CHOSEN, FPS)
    four = trajectory(pipeline, 4, seed=seed)
    outlined = films.reverse(four, films.Look(120, ellipses=True))
    films.write_film(outlined, out / "ellipses.gif", RISING[::-1], FPS, MOST)
    both = films.reverse(two, films.Look(112, ellipses=True), "both")
    films.write_film(both, out / "becoming.png", CHOSEN[::-1], FPS)
    many = trajectory(pipeline, 128, seed=seed)
    films.write_film(films.terminal(pipeline, many.data, 2, films.Look(112), seed), out / "noise.png", CHOSEN[::2], FPS)
    between = films.interpolated(representation, four.data, films.Look(112, pixels=True))
    films.write_film(between, out / "between.gif", there_and_back, FPS, MOST)

    people = GaussianDiffusion.from_pretrained("sprites")
    pictures = to_uint8(people(num_samples=4, seed=seed).images).numpy()
    channels, height, width = pictures.shape[1:]
    encoder = make_encoder(channels, pixels=height * width)
    films.write_film(
        films.converging(pictures, encoder, films.Look(112, pixels=True)), out / "encoding.gif", RISING, FPS, MOST
    )


def main(arguments: Arguments) -> None:
    draw_processes(arguments.out, arguments.model, arguments.seed)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
