"""`gaussiandiffusion inpaint`: keep a part of sets, and let a model make the rest anew."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from gaussiandiffusion.cli.checks import check_numbers
from gaussiandiffusion.cli.model_edits import AskingFlags, ModelFlags, read_for, write_results
from gaussiandiffusion.edit import grammar
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from gaussiandiffusion.splats import Splats


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
    """Keep what draws something, and let the model add what is missing: for a part of a picture, or a sketch."""
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
        from gaussiandiffusion.edit import inpaint
        from gaussiandiffusion.edit.history import Edit, mark

        given = read_for(pipe, self.file, self.out, self.asking)
        kept = self._kept(given.splats)
        places = [i for i in range(len(given.splats)) for _ in range(self.num)]
        request = self.asking.request(pipe, given.conditions, len(places))
        started = time.perf_counter()
        made = inpaint(pipe, given.splats[places], kept[places], self.asking.seed, rounds=self.rounds,
                       until=self.until, return_trajectory=self.gif, **request)  # fmt: skip
        seconds = time.perf_counter() - started
        values = {"num": self.num, "rounds": self.rounds, "until": self.until} | self.asking.values(made.conditions)
        if self.complete:
            values["complete"] = True
        files = {name: mark(Path(name), self.out / "splats.safetensors") for name in names}
        edit = Edit("inpaint", values, self.keep, files)
        write_results(self.out, pipe, made, given, edit, self.asking, seconds, gif=self.gif)

    def _kept(self, splats: Splats) -> Tensor:
        from gaussiandiffusion.edit.expressions import select
        from gaussiandiffusion.edit.inpainting import drawing

        return drawing(splats) if self.keep is None else select(splats, self.keep)
