"""`sample --sheet`: characters as game engines take them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from gaussiandiffusion.cli.sample import Command


def write_characters(command: Command) -> None:
    """Make as many characters as were asked for, and write a sheet of each: one to the folder itself, several each to
    a folder in it.

    Raises:
        InputError: the model has no frames, or cannot take the request.
    """
    pipeline, _ = command.load()
    from gaussiandiffusion.diffusion import prepared
    from gaussiandiffusion.gallery import animations, make_character, write_sheet
    from gaussiandiffusion.gallery.animation import KEYED

    num, fps = command.num or 1, command.fps or KEYED
    asked = pipeline.condition_spec.parse(command.label)
    steps = pipeline.config.num_inference_steps if command.steps is None else command.steps
    rows = animations(pipeline.condition_spec, asked, command.loop)
    frames = sum(len(row.frames) for row in rows)
    chunks = -(-frames // pipeline.chunk_size)
    total = len(prepared(pipeline.scheduler, steps).timesteps) * chunks * num
    started, written = time.perf_counter(), []
    with tqdm(total=total, desc="sample", unit="step") as bar:
        for number in range(num):
            character = make_character(
                pipeline,
                asked,
                number=number,
                seed=command.seed,
                loops=command.loop,
                num_inference_steps=steps,
                guidance_scale=command.guidance,
                guidance_interval=command.guidance_interval,
                eta=command.eta,
                callback=lambda _: bar.update(),
            )
            told: dict[str, Any] = {
                "app": "gaussiandiffusion", "version": _version(), "model": command.model, "seed": command.seed,
                "character": number, "steps": steps,
            }  # fmt: skip
            folder = command.out if num == 1 else _folder(command.out, number, num)
            written = write_sheet(folder, character, fps=fps, size=command.size, told=told)
    seconds = time.perf_counter() - started
    many = f"{num} characters" if num > 1 else "a character"
    place = command.out if num == 1 else f"{_folder(command.out, 0, num)} ..."
    print(f"{many} of {frames} drawn frames in {seconds:.1f} s: {place}/{', '.join(written)}")


def _folder(out: Path, number: int, num: int) -> Path:
    """Of one of several characters."""
    from gaussiandiffusion.gallery import picture_name  # with what reads galleries, data sets too

    return out / picture_name(number, num)


def _version() -> str:
    from gaussiandiffusion import __version__

    return __version__
