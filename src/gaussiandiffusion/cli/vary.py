"""`gaussiandiffusion vary`: sets like given ones."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from gaussiandiffusion.cli.checks import check_numbers
from gaussiandiffusion.cli.model_edits import AskingFlags, ModelFlags, read_for, write_results
from gaussiandiffusion.ground.errors import InputError


@dataclass(frozen=True)
class Command:
    """Variations of sets or pictures by a model: noise to some time, and back. Writes a folder as `sample` does.

    Example: gaussiandiffusion vary digit.png --model mnist --strength 0.4 --num 16 --out out/
    """

    file: tyro.conf.Positional[Path]
    """Sets: a splat file, a folder that `sample` or `encode` wrote, another system's file; or pictures."""
    out: Path
    """Folder to write to."""
    strength: float = 0.3
    """Share of noise to go to: 0 leaves the sets as they are, 1 owes them nothing."""
    num: int = 1
    """Variations of each set."""
    toward: Path | None = None
    """Picture that the variations are led toward."""
    pull: float = 1.0
    """How strongly they are."""
    gif: bool = False
    """Also write materialisation.gif."""
    asking: AskingFlags = field(default_factory=ModelFlags)

    def run(self) -> None:
        check_numbers(0, 1, strength=self.strength)
        check_numbers(num=self.num)
        if not 0 < self.pull <= 100:
            raise InputError(f"--pull must lie above 0 and at most at 100, not {self.pull}")
        if self.toward is None and self.pull != 1:
            raise InputError("--pull is how strongly a picture leads; give --toward PICTURE too")
        if self.strength == 0 and (self.gif or self.toward is not None):
            raise InputError("--strength 0 leaves the sets as they are, so there are no steps to show or to lead; give "
                             "more, or leave --gif and --toward out")  # fmt: skip
        self.asking.check(self.out, self.file, *([] if self.toward is None else [self.toward]))
        pipe = self.asking.load()
        from gaussiandiffusion.edit.by_model import Beside, Vary

        given = read_for(pipe, self.file, self.out, self.asking)
        asked = self.asking.asked(pipe, given.conditions, self.num * len(given.splats))
        files = {} if self.toward is None else {str(self.toward): self.toward}
        edit = Vary(**self.asking.told(pipe), asked=asked, strength=self.strength, num=self.num,
                    toward=next(iter(files), None), pull=self.pull)  # fmt: skip
        started = time.perf_counter()
        made = edit.make(pipe, given.splats, Beside(files=files), return_trajectory=self.gif)
        seconds = time.perf_counter() - started
        recorded = edit.recorded(self.out / "splats.safetensors", files)
        write_results(self.out, pipe, made, given, recorded, self.asking, seconds, gif=self.gif)
