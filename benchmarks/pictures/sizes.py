"""How large an animation of sixteen digits is, by its kind and size: python -m benchmarks.pictures.sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tyro

from benchmarks.shared.markdown import Record, table
from benchmarks.shared.sections import SectionArguments, results_file, run_sections
from gaussiandiffusion.gallery import films
from gaussiandiffusion.gallery.processes import trajectory
from gaussiandiffusion.pipeline import GaussianDiffusion

SIZES = (64, 96, 128, 256)  # pixels of the longer side of a picture
FRAMES, FEWER = 25, 13
KINDS = {"gif": (".gif", FRAMES), "fewer": (".gif", FEWER), "apng": (".apng", FRAMES), "mp4": (".mp4", FRAMES)}
NUM = 16
FPS = 10


def sizes(quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Bytes of each kind, and the pixels of a frame's side."""
    way = trajectory(GaussianDiffusion.from_pretrained("mnist"), NUM, seed=0)
    for size in SIZES[:1] if quick else SIZES:
        film, row = films.reverse(way, films.Look(size)), {"side": 0}
        row["side"] = film.frame(1.0).width
        with TemporaryDirectory() as folder:
            for name, (suffix, frames) in KINDS.items():
                path = Path(folder) / f"x{suffix}"
                films.write_film(film, path, [1 - i / (frames - 1) for i in range(frames)], FPS)
                row[name] = path.stat().st_size
        yield str(size), row


def sizes_table(record: Record) -> str:
    """Kilobytes of each kind, a size of pictures a row."""
    head = ["`--size`", "frame", f"GIF, {FRAMES} frames", f"GIF, {FEWER}", f"APNG, {FRAMES}", f"MP4, {FRAMES}"]
    rows = [
        [size, f"{row['side']}x{row['side']}", *(f"{row[name] / 1000:,.0f} kB" for name in KINDS)]
        for size, row in record["sizes"].items()
    ]
    return table(head, rows)


def main(arguments: SectionArguments) -> None:
    out = arguments.out or results_file("animations", arguments.quick)
    run_sections(out, {"sizes": lambda: sizes(arguments.quick)}, arguments.only)


if __name__ == "__main__":
    main(tyro.cli(SectionArguments, description=__doc__))
