"""Files of sets edited, their history written with them, and made again from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from gaussiandiffusion.edit.applying import Step, run_steps
from gaussiandiffusion.edit.history import READING, begin, find, mark, origin, record
from gaussiandiffusion.edit.registry import from_values
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats import SplatFile, storage
from gaussiandiffusion.splats.edits import Edit
from gaussiandiffusion.splats.formats import load_sets, open_sets, sets_of
from gaussiandiffusion.splats.json_files import write_json_sets
from gaussiandiffusion.splats.ply import write_ply
from gaussiandiffusion.splats.set_source import Reading
from gaussiandiffusion.splats.storage import Header

VERB = "edit"
LIMIT = "limit"  # in the values of an edit: of how many sets it was, the first ones


@dataclass(frozen=True)
class _Told:
    """A `Reading` as a header has it."""

    kernel_size: int | None = None
    clamp: Literal["hard", "soft"] | None = None
    canvas: tuple[int, int] | None = None
    values: Literal["final", "raw"] | None = None
    labels: str | None = None


def edit_file(
    path: Path, out: Path, steps: Sequence[Step], reading: Reading | None = None, limit: int | None = None
) -> tuple[SplatFile, list[str]]:
    """The sets of a file after every step, with their history.

    Args:
        path: a file of sets, or a folder of them.
        out: where they are to be written; nothing is written here.
        reading: what a file of another system does not say.
        limit: only the first sets, so many.

    Returns:
        The edited sets, and what was guessed in reading.

    Raises:
        InputError: the file cannot be read, or what `run_steps` raises.
    """
    source = open_sets(path, reading)
    file = sets_of(source, path, limit)
    header = begin(file.header, path, out, _told(reading))
    edited = replace(file, splats=run_steps(file.splats, steps), header=header, psnr=None)
    told = [replace(step, limit=None if number else limit) for number, step in enumerate(steps)]
    return replace(edited, header=record(header, *(_edit_of(step, out) for step in told))), source.notes


@dataclass(frozen=True)
class Retold:
    """A history, and where the files lie now that it tells of.

    Attributes:
        header: of the edited file.
        first: the file that it begins with.
        told: what a reader was told of that.
        steps: every edit since.
    """

    header: Header
    first: Path
    told: Reading
    steps: list[Step]

    @property
    def files(self) -> list[Path]:
        """All files that are read to make the sets again."""
        return [self.first, *(path for step in self.steps for path in step.places.values())]

    def again(self) -> SplatFile:
        """The edited sets; raises InputError where a file or an edit is not sound."""
        file = load_sets(self.first, self.told)
        splats = run_steps(file.splats, self.steps)
        return replace(file[: len(splats)], splats=splats, header=self.header, psnr=None)


def replay(edited: str | os.PathLike[str], source: str | os.PathLike[str] | None = None) -> SplatFile:
    """An edited file's sets made again from those that its history begins with.

    Args:
        edited: the file; only its header is believed.
        source: where the first file lies, and the files that the edits read beside it; default: where they lay.

    Raises:
        InputError: it has no history, or one that edits by hand are not all of; a file that it read is not there or
            is not what it was.
    """
    return retold(edited, source).again()


def retold(edited: str | os.PathLike[str], source: str | os.PathLike[str] | None = None) -> Retold:
    """An edited file's history, every file found; arguments and errors as `replay`."""
    edited, source = Path(edited), None if source is None else Path(source)
    header = load_sets(edited).header
    first = find(origin(header, edited), edited, source)
    where = f"{edited}: the header"
    told: _Told = to_record(header.source.get(READING, {}), _Told, f"{where}: source.{READING}")
    reading = Reading(**(asdict(told) | {"labels": Path(told.labels) if told.labels else None}))
    steps = []
    for number, edit in enumerate(header.edits or []):
        if edit.verb != VERB:
            raise InputError(f"{edited}: its history holds `{edit.verb}`, which needs a model; run that command again")
        places = {
            name: find(wanted, edited, None if source is None else _beside(source, name))
            for name, wanted in edit.files.items()
        }
        said = f"{where}: edits[{number}]"
        values, limit = without_limit(edit.values, said)
        steps.append(Step(from_values(values, said), edit.where, places, limit))
    return Retold(header, first, reading, steps)


def without_limit(values: Mapping[str, Any], where: str) -> tuple[dict[str, Any], int | None]:
    """An operation's values in a history, and of how many sets it was; raises InputError where that is no number."""
    limit: int | None = to_record(values.get(LIMIT), Annotated[int, Meta(ge=1)] | None, f"{where}: {LIMIT}")
    return {key: value for key, value in values.items() if key != LIMIT}, limit


def save_edited(file: SplatFile, out: Path, size: int | None = None) -> None:
    """Write sets as the kind that the suffix says; all but .ply keep the history.

    Args:
        size: longer side of an SVG in pixels; default: the canvas.

    Raises:
        InputError: .ply and .svg hold one set; or the file cannot be written.
    """
    suffix, header = out.suffix.lower(), file.header
    if suffix == ".json":
        write_json_sets(file.splats, out, file.labels, conditions=file.conditions, header=header)
    elif suffix in (".ply", ".svg"):
        if len(file.splats) > 1:
            raise InputError(f"{out}: a {suffix} file holds one set, and there are {len(file.splats)}; "
                             "write .safetensors")  # fmt: skip
        if suffix == ".ply":
            write_ply(file.splats, out)
        else:
            from gaussiandiffusion.rendering import to_svg

            to_svg(file.splats, out, size=size, header=header)
    else:
        storage.save(
            file.splats, out, labels=file.labels, conditions=file.conditions, signed=header.signed,
            encoder=header.encoder, source=header.source, edits=header.edits,
        )  # fmt: skip


def _edit_of(step: Step, out: Path) -> Edit:
    """A step as the history has it."""
    operation = step.operation
    if step.where is not None and not isinstance(step.where, str):
        raise InputError("a history holds selections as text; give an expression rather than a mask")
    files = {name: mark(Path(name), out) for name in step.files()}
    limit = {} if step.limit is None else {LIMIT: step.limit}
    return Edit(VERB, {"op": operation.name, **operation.values(), **limit}, step.where, files)


def _told(reading: Reading | None) -> dict[str, Any]:
    """What a reader was told, as JSON."""
    values = asdict(reading or Reading())
    return {name: str(value) if isinstance(value, os.PathLike) else value
            for name, value in values.items() if value is not None}  # fmt: skip


def _beside(source: Path, name: str) -> Path | None:
    """A file of this name beside the source, if there is one."""
    path = source.parent / Path(name).name
    return path if path.exists() else None
