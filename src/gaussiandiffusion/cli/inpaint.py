"""`gaussiandiffusion inpaint`: keep a part of sets, and let a model make the rest anew."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from gaussiandiffusion.cli.checks import check_numbers
from gaussiandiffusion.cli.model_edits import AskingFlags, ModelFlags, read_for, write_results
from gaussiandiffusion.edit import grammar
from gaussiandiffusion.ground.errors import InputError


@dataclass(frozen=True)
class Command:
    """Keep some splats bit for bit, and let a model make the rest to fit them. Writes a folder as `sample` does.

    Example: gaussiandiffusion inpaint out/ --keep "inside(-1,-1,1,0)" --num 8 --out mended/
    Example: gaussiandiffusion inpaint half-a-digit.png --complete --label 3 --out completed/
    """

    file: tyro.conf.Positional[Path]
    """Sets: a splat file, a folder that `sample` or `encode` wrote, another system's file; or pictures."""
    out: Path
    """Folder to write to."""
    keep: str | None = None
    """Splats to keep: "inside(-1,-1,1,0)" (a box in canvas units), "mask(FILE)" (white in a picture), "color(#ff0000,
    20)", ... as `edit` takes them, joined by & | ! and parentheses."""
    complete: bool = False
    """Keep all splats that draw something, and let the model add what is missing: for a part of a set's splats, of a
    picture, or a sketch of a few splats, each put into the slot of the model that suits it best."""
    num: int = 1
    """Results from each set."""
    rounds: int = 4
    """Times that each step is taken, so that what is made fits what is kept."""
    until: float = 0.0
    """Time down to which the kept splats are held; above 0 the model may mend them too, as it should a sketch."""
    gif: bool = False
    """Also write materialisation.gif."""
    asking: AskingFlags = field(default_factory=ModelFlags)

    def run(self) -> None:
        if self.keep is not None and self.complete:
            raise InputError("say what to keep once: --keep SELECTION or --complete, not both")
        if self.keep is None and not self.complete:
            raise InputError("say what to keep: --keep SELECTION, such as --keep 'inside(-1,-1,1,0)', or --complete")
        check_numbers(num=self.num, rounds=self.rounds)
        check_numbers(0, 1, until=self.until)
        names = () if self.keep is None else grammar.files_of(grammar.parse(self.keep))
        self.asking.check(self.out, self.file, *map(Path, names))
        pipe = self.asking.load()
        from gaussiandiffusion.edit.by_model import Beside, Inpaint

        given = read_for(pipe, self.file, self.out, self.asking, place=self.complete)
        asked = self.asking.asked(pipe, given.conditions, self.num * len(given.splats))
        edit = Inpaint(**self.asking.told(pipe), asked=asked, num=self.num, rounds=self.rounds, until=self.until,
                       complete=self.complete)  # fmt: skip
        files = {name: Path(name) for name in names}
        started = time.perf_counter()
        made = edit.make(pipe, given.splats, Beside(self.keep, files), return_trajectory=self.gif)
        seconds = time.perf_counter() - started
        recorded = edit.recorded(self.out / "splats.safetensors", files, self.keep)
        write_results(self.out, pipe, made, given, recorded, self.asking, seconds, gif=self.gif)
