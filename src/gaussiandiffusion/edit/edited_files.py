"""Files of sets edited by hand, their history written with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gaussiandiffusion.edit.applying import Step, run_steps
from gaussiandiffusion.edit.history import begin, mark, record
from gaussiandiffusion.edit.readings import told_of
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import SplatFile, storage
from gaussiandiffusion.splats.edits import Edit
from gaussiandiffusion.splats.formats import open_sets, sets_of
from gaussiandiffusion.splats.json_files import write_json_sets
from gaussiandiffusion.splats.ply import write_ply
from gaussiandiffusion.splats.set_source import Reading

VERB = "edit"


def edit_file(
    path: Path, out: Path, steps: Sequence[Step], reading: Reading | None = None
) -> tuple[SplatFile, list[str]]:
    """The sets of a file after every step, with their history.

    Args:
        path: a file of sets, or a folder of them.
        out: where they are to be written; nothing is written here.
        reading: what a file of another system does not say.

    Returns:
        The edited sets, and what was guessed in reading.

    Raises:
        InputError: the file cannot be read, or what `run_steps` raises.
    """
    source = open_sets(path, reading)
    file = sets_of(source, path)
    header = begin(file.header, path, out, told_of(reading))
    edited = replace(file, splats=run_steps(file.splats, steps), header=header, psnr=None)
    return replace(edited, header=record(header, *(_edit_of(step, out) for step in steps))), source.notes


def save_edited(file: SplatFile, out: Path) -> None:
    """Write sets as the kind that the suffix says; .safetensors and .json keep the history.

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
        from gaussiandiffusion.rendering import to_svg

        (write_ply if suffix == ".ply" else to_svg)(file.splats, out)
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
    return Edit(VERB, {"op": operation.name, **operation.values()}, step.where, files)
