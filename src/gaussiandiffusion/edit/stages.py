"""The stages of a history, each done again: edits by hand, by a model, an interpolation that it begins with.

`begin` gives the sets of a history's first file after an edit, `go_on` sets that were edited before; both raise
InputError where a file or the edit is not sound. `files` are all that are read beside the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gaussiandiffusion.edit.applying import Step, run_steps
from gaussiandiffusion.edit.by_model import Beside, Inpaint, Interpolate, Transfer, Vary
from gaussiandiffusion.edit.given import bring, made_of, read_given
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.splats import SplatFile, Splats
from gaussiandiffusion.splats.formats import load_sets
from gaussiandiffusion.splats.set_source import Reading
from gaussiandiffusion.splats.storage import Header


@dataclass(frozen=True)
class First:
    """The file that a history begins with, and what a reader was told of it."""

    path: Path
    told: Reading


@dataclass(frozen=True)
class ByHand:
    """Edits by hand, one after another."""

    steps: list[Step]

    @property
    def files(self) -> list[Path]:
        return [path for step in self.steps for path in step.places.values()]

    def begin(self, first: First) -> SplatFile:
        return self.go_on(load_sets(first.path, first.told))

    def go_on(self, file: SplatFile) -> SplatFile:
        splats = run_steps(file.splats, self.steps)
        return replace(file[: len(splats)], splats=splats, psnr=None)


@dataclass(frozen=True)
class OfModel:
    """An edit by a model; `what` is what an error calls sets that were edited before."""

    pipe: GaussianDiffusion
    edit: Vary | Inpaint | Transfer
    beside: Beside
    what: str

    @property
    def files(self) -> list[Path]:
        return [*self.beside.files.values()]

    def begin(self, first: First) -> SplatFile:
        return self._made(read_given(self.pipe, first.path, self.edit.bringing, first.told).file)

    def go_on(self, file: SplatFile) -> SplatFile:
        return self._made(bring(self.pipe, file[: self.edit.limit], self.edit.bringing, self.what).file)

    def _made(self, given: SplatFile) -> SplatFile:
        return made_of(self.pipe, self.edit.make(self.pipe, given.splats, self.beside), given.header)


Stage = ByHand | OfModel


@dataclass(frozen=True)
class Between:
    """An interpolation: a history begins with it, and its ends are the files that it reads."""

    pipe: GaussianDiffusion | None
    edit: Interpolate
    files_of: Mapping[str, Path]
    told: Reading

    @property
    def files(self) -> list[Path]:
        return [*self.files_of.values()]

    def frames(self) -> SplatFile:
        """The frames; raises InputError where an end or the edit is not sound."""
        made = self.edit.make(self.pipe, [self._end(place) for place in range(len(self.edit.ends))])
        assert made.splats is not None  # of sets, or of a model of splats
        header = Header.of(made.splats, signed=False)
        return SplatFile(made.splats, header) if self.pipe is None else made_of(self.pipe, made, header)

    def _end(self, place: int) -> Splats | int:
        end = self.edit.ends[place]
        if end.file is None:
            return end.seed or 0
        path = Beside(files=self.files_of).file(end.file)
        if self.pipe is None:
            splats = load_sets(path, self.told).splats
        else:
            splats = read_given(self.pipe, path, self.edit.bringing, self.told).file.splats
        if end.index >= len(splats):
            raise InputError(f"{path}: has no set {end.index}, its sets are 0 to {len(splats) - 1}")
        return splats[end.index]
