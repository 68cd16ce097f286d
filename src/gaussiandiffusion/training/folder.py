"""The output folder of a training: whether it is free, and that it is one training's at a time. Imports no PyTorch."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import locked

STATES = ("checkpoints", "snapshots")


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = (folder / "checkpoints").glob("step-*.pt")
    return sorted(path for path in found if re.fullmatch(r"step-\d+\.pt", path.name))


def check_free(folder: Path, *, resume: bool = False, overwrite: bool = False) -> None:
    """Refuse to begin in a folder that holds an earlier training.

    Args:
        resume: it is gone on with, which takes a checkpoint.
        overwrite: it may be replaced.

    Raises:
        InputError: it may not, or both were asked for.
    """
    if resume and overwrite:
        raise InputError("--resume goes on with the training in the folder and --overwrite replaces it; give only one")
    if overwrite or (resume and checkpoints(folder)):
        return
    if not checkpoints(folder) and not any((folder / name).exists() for name in ("snapshots", "pipeline")):
        return
    if resume:
        raise InputError(
            f"{folder}: holds a trained model, but no checkpoint to go on from; give another --output-dir, or "
            "--overwrite to train anew in its place"
        )
    raise InputError(
        f"{folder}: holds an earlier training; go on with it by --resume, give another --output-dir, or --overwrite to "
        "replace it"
    )


def clear(folder: Path) -> None:
    """Remove the states of an earlier training."""
    for name in STATES:
        shutil.rmtree(folder / name, ignore_errors=True)


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Be the only training in a folder, until the end; of several processes of one training the first is.

    Raises:
        InputError: another training is at work there, or the folder cannot be written to.
    """
    if not first_process():
        yield
        return
    with locked(folder):
        yield


def first_process() -> bool:
    """Whether this is the first process of a training, or the only one, as a launcher (torchrun, accelerate) says."""
    return os.environ.get("RANK", "0") == "0"
