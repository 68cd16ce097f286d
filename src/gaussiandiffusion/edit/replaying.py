"""Edited files made again from their history: from the first file on, every edit since, by hand or by a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from gaussiandiffusion.edit.applying import Step
from gaussiandiffusion.edit.by_model import VERBS, Beside, Interpolate
from gaussiandiffusion.edit.edited_files import VERB, without_limit
from gaussiandiffusion.edit.history import READING, Edit, find, origin
from gaussiandiffusion.edit.models_told import ModelsTold, Place
from gaussiandiffusion.edit.readings import reading_of
from gaussiandiffusion.edit.registry import from_values
from gaussiandiffusion.edit.stages import Between, ByHand, First, OfModel, Stage
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats import SplatFile
from gaussiandiffusion.splats.formats import load_sets
from gaussiandiffusion.splats.storage import Header


@dataclass(frozen=True)
class Retold:
    """A history, and where the files lie now that it tells of.

    Attributes:
        header: of the edited file.
        files: all that are read to make the sets again.
        begin: the first edit done again.
        stages: the edits after it.
    """

    header: Header
    files: list[Path]
    begin: Callable[[], SplatFile]
    stages: list[Stage]

    def again(self) -> SplatFile:
        """The edited sets; raises InputError where a file or an edit is not sound."""
        file = self.begin()
        for stage in self.stages:
            file = stage.go_on(file)
        return replace(file, header=self.header, psnr=None)


def replay(
    edited: str | os.PathLike[str],
    source: str | os.PathLike[str] | None = None,
    model: Place | None = None,
) -> SplatFile:
    """An edited file's sets made again from those that its history begins with.

    What a model did it does again, on the kind of device it was done on; on the same machine to the same bits.

    Args:
        edited: the file; only its header is believed.
        source: where the first file lies, and the files that the edits read beside it; default: where they lay.
        model: the model, or its name or folder; default: a bundled one, or the folder where it lay.

    Raises:
        InputError: it has no history; or a file or a model that it needs is not there, or is not what it was.
    """
    return retold(edited, source, model).again()


def retold(
    edited: str | os.PathLike[str],
    source: str | os.PathLike[str] | None = None,
    model: Place | None = None,
) -> Retold:
    """An edited file's history, every file and model found; arguments and errors as `replay`."""
    path = Path(edited)
    header = load_sets(path).header
    reader = _Reader(path, None if source is None else Path(source), ModelsTold(path, model))
    edits = list(enumerate(header.edits or []))
    if edits and edits[0][1].verb == Interpolate.verb:
        between = reader.between(edits.pop(0)[1])
        stages = reader.stages(edits)
        files, begin = between.files, between.frames
    else:
        told = header.source.get(READING, {})
        first = First(
            find(origin(header, path), path, reader.source), reading_of(told, f"{path}: the header: source.{READING}")
        )
        stages = reader.stages(edits)
        files, begin = [first.path], partial(load_sets, first.path, first.told)
        if stages:
            files += stages[0].files
            begin = partial(stages.pop(0).begin, first)
    return Retold(header, [*files, *(each for stage in stages for each in stage.files)], begin, stages)


@dataclass(frozen=True)
class _Reader:
    """What edits of a header say, as what can be done again."""

    edited: Path
    source: Path | None
    models: ModelsTold

    def stages(self, edits: Sequence[tuple[int, Edit]]) -> list[Stage]:
        """Edits with their places in the history; those by hand that follow one another together."""
        stages: list[Stage] = []
        for by_hand, group in groupby(edits, lambda numbered: numbered[1].verb == VERB):
            if by_hand:
                stages.append(ByHand([self.step(number, edit) for number, edit in group]))
            else:
                stages += [self.of_model(number, edit) for number, edit in group]
        return stages

    def step(self, number: int, edit: Edit) -> Step:
        values, limit = without_limit(edit.values, self._where(number))
        return Step(from_values(values, self._where(number)), edit.where, self._files(edit), limit)

    def of_model(self, number: int, edit: Edit) -> OfModel:
        if edit.verb not in VERBS or "weights" not in edit.values:
            raise self._unknown(edit)
        told = to_record(edit.values, VERBS[edit.verb], self._where(number))
        beside = Beside(edit.where, self._files(edit, but=told.model))
        return OfModel(self.models.of(told, edit.files), told, beside, str(self.edited))

    def between(self, edit: Edit) -> Between:
        ends = edit.values.get("ends")
        if not isinstance(ends, list) or not all(isinstance(end, dict) for end in ends):
            raise self._unknown(edit)
        told = to_record(edit.values, Interpolate, self._where(0))
        names = list(dict.fromkeys(end.file for end in told.ends if end.file is not None))
        if self.source is not None and not names:
            raise InputError(f"{self.edited}: was made from seeds, and of no file; leave --source out")
        files = self._files(edit, but=told.model, first=names[0] if names else None)
        pipe = None if told.model is None else self.models.of(told, edit.files)
        return Between(pipe, told, files, reading_of(told.reading, f"{self._where(0)}: {READING}"))

    def _files(self, edit: Edit, but: str | None = None, first: str | None = None) -> Mapping[str, Path]:
        """Where the files lie that an edit read, by the names they were given.

        Args:
            but: name of what is no such file, but the model.
            first: name of that which the source is.
        """
        places = {}
        for name, wanted in edit.files.items():
            if name != but:
                beside = self.source if name == first else _beside(self.source, wanted.path)
                places[name] = find(wanted, self.edited, beside)
        return places

    def _where(self, number: int) -> str:
        return f"{self.edited}: the header: edits[{number}]"

    def _unknown(self, edit: Edit) -> InputError:
        return InputError(
            f"{self.edited}: its history holds `{edit.verb}`, which needs a model; run that command again"
        )


def _beside(source: Path | None, name: str) -> Path | None:
    """A file of this name beside the source, if there is one."""
    path = None if source is None else source.parent / Path(name).name
    return path if path is not None and path.exists() else None
