"""`gaussiandiffusion render`: splat sets to pictures."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import tyro
from tqdm import tqdm

from gaussiandiffusion.cli.checks import LARGEST_SIDE, check_folder, check_numbers
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.reading import ReadingFlags
from gaussiandiffusion.data.reading import SetFlags
from gaussiandiffusion.ground.errors import InputError

PIXELS_AT_ONCE = 2**24


@dataclass(frozen=True)
class Command:
    """Draw every set of a file as PNG, at any size.

    Example: gaussiandiffusion render sets.safetensors --size 512 --out pictures/
    """

    file: tyro.conf.Positional[Path]
    """Splat file, folder of shards or that `sample` wrote, or another system's file or folder of sets."""
    out: Path
    """Folder to write to."""
    size: int | None = None
    """Longer side of the pictures in pixels, of SVGs too; default: the canvas."""
    svg: bool = False
    """Write SVG as well."""
    limit: int | None = None
    """Only the first N sets."""
    reading: ReadingFlags = field(default_factory=SetFlags)
    seed: int = 0
    """Rendering draws nothing at random; accepted for uniformity."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        check_numbers(most=LARGEST_SIDE, size=self.size)
        check_numbers(limit=self.limit)
        check_folder(self.out)
        if not self.file.exists():
            raise InputError(f"{self.file}: no such splat file; `gaussiandiffusion encode` writes some")
        device = resolve(self.device)
        from gaussiandiffusion.gallery import is_gallery, picture_name
        from gaussiandiffusion.ground.images import to_uint8
        from gaussiandiffusion.rendering import render, to_svg
        from gaussiandiffusion.rendering.media import save_png, to_image
        from gaussiandiffusion.splats.formats import open_sets, sets_of

        file = self.file / "splats.safetensors" if is_gallery(self.file) else self.file
        opened = open_sets(file, self.reading.reading())
        sets = sets_of(opened, file, self.limit)
        splats = sets.splats.to(device)
        for note in opened.notes:
            print(f"{file}: {note}", file=sys.stderr)
        canvas = splats.canvas.resized(self.size)
        batch = max(1, PIXELS_AT_ONCE // (canvas.height * canvas.width * canvas.channels))
        with tqdm(total=len(splats), desc="render", unit="image") as bar:
            for start in range(0, len(splats), batch):
                for i, picture in enumerate(to_uint8(render(splats[start : start + batch], self.size)), start):
                    save_png(to_image(picture), self.out / f"{picture_name(i, len(splats))}.png")
                    if self.svg:
                        name = f"{picture_name(i, len(splats))}.svg"
                        to_svg(splats[i], self.out / name, size=self.size, header=sets.header)
                    bar.update()
        print(f"{len(splats)} pictures of {canvas.width}x{canvas.height} pixels: {self.out}")
