"""`gaussiandiffusion transfer`: sets as something else of the same kind of making, such as one hand's 3 as a 7."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from gaussiandiffusion.cli.model_edits import AskingFlags, ModelFlags, known_words, read_for, write_results
from gaussiandiffusion.ground.errors import InputError


@dataclass(frozen=True)
class Command:
    """What sets or pictures would be, were they asked to be something else: the same noise, other conditions.

    Example: gaussiandiffusion transfer three.png --own 3 --label 7 --out seven/
    """

    file: tyro.conf.Positional[Path]
    """Sets: a splat file, a folder that `sample` or `encode` wrote, another system's file; or pictures."""
    out: Path
    """Folder to write to."""
    own: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """What they show now, as --label; default: what the file says of its sets."""
    asking: AskingFlags = field(default_factory=ModelFlags)

    def run(self) -> None:
        if not self.asking.label:
            raise InputError("say what they are to be: --label VALUE, or NAME=VALUE")
        conditions = self.asking.check(self.out, self.file)
        if conditions is not None:
            conditions.parse(self.own)
        pipe = self.asking.load()
        from gaussiandiffusion.edit.by_model import Beside, Transfer, words_of
        from gaussiandiffusion.edit.noise import STEPS

        given = read_for(pipe, self.file, self.out, self.asking)
        spec, count = pipe.condition_spec, len(given.splats)
        own = words_of(pipe, {**known_words(spec, given.conditions), **spec.parse(self.own)}, count)
        asked = self.asking.asked(pipe, given.conditions, count)
        edit = Transfer(**self.asking.told(pipe, STEPS), asked=asked, own=own)
        started = time.perf_counter()
        made = edit.make(pipe, given.splats, Beside())
        seconds = time.perf_counter() - started
        recorded = edit.recorded(self.out / "splats.safetensors", {})
        write_results(self.out, pipe, made, given, recorded, self.asking, seconds)
