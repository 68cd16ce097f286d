"""Files of sets edited by hand, their history written with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from gaussiandiffusion.edit.applying import Step, run_steps
from gaussiandiffusion.edit.history import begin, mark, record
from gaussiandiffusion.edit.readings import told_of
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats import SplatFile, storage
from gaussiandiffusion.splats.edits import Edit
from gaussiandiffusion.splats.formats import open_sets, sets_of
from gaussiandiffusion.splats.json_files import write_json_sets
from gaussiandiffusion.splats.ply import write_ply
from gaussiandiffusion.splats.set_source import Reading

VERB = "edit"
LIMIT = "limit"  # in the values of an edit: of how many sets it was, the first ones


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
    header = begin(file.header, path, out, told_of(reading))
    edited = replace(file, splats=run_steps(file.splats, steps), header=header, psnr=None)
    told = [replace(step, limit=None if number else limit) for number, step in enumerate(steps)]
    return replace(edited, header=record(header, *(_edit_of(step, out) for step in told))), source.notes


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
