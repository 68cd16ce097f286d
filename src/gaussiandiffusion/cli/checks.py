"""What can be said of arguments before PyTorch is imported, which takes seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.ground.attributes import ConditionSpec, Value

LARGEST_SIDE = 32_768  # pixels of a picture


def check_numbers(least: float = 1, most: float = math.inf, **values: float | None) -> None:
    """Refuse numbers out of range, each called as its flag is; None is a default.

    Raises:
        InputError: one is.
    """
    for name, value in values.items():
        if value is not None and not least <= value <= most:
            flag = f"--{name.replace('_', '-')}"
            between = f"be at least {least}" if most == math.inf else f"lie between {least} and {most}"
            raise InputError(f"{flag} must {between}, not {value}")


def check_folder(out: Path) -> None:
    """Refuse a file, or a place below one, where a folder is to be written; raises InputError."""
    for path in (out, *out.parents):
        if path.exists() or path.is_symlink():
            if not path.is_dir():
                raise InputError(f"{path}: is a file; --out names a folder")
            return


def check_file(out: Path | None) -> None:
    """Refuse a folder, or a place below a file, where a file is to be written; raises InputError."""
    if out is None:
        return
    if out.is_dir():
        raise InputError(f"{out}: is a folder; --out names a file")
    check_folder(out.parent)


def check_apart(out: Path, *read: Path) -> None:
    """Refuse to write a file over one that is read, or over one in a folder that is; raises InputError."""
    if is_read(out, *read):
        raise InputError(f"{out}: is what is read, or lies in it; name another file")


def is_read(out: Path, *read: Path) -> bool:
    """Whether a file is one of those that are read, or lies in a folder that is."""
    there = (path for path in read if out.exists() and path.exists())
    return any(out.samefile(path) or (path.is_dir() and out.resolve().parent == path.resolve()) for path in there)


def check_gallery_apart(out: Path, *read: Path) -> None:
    """Refuse a folder for a gallery that would be written over what is read; raises InputError."""
    from gaussiandiffusion.gallery import is_part

    for path in read:
        if is_part(path, out):
            raise InputError(f"{out}: is what is read, or holds it ({path}); name another folder")


def check_installed(extra: str, what: str, *modules: str) -> None:
    """Refuse what an extra of the package is needed for, where it is missing; raises InputError with the command."""
    if missing := [name for name in modules if not _there(name)]:
        raise InputError(f'{what} needs {missing[0]}; run: pip install "gaussiandiffusion[{extra}]"')


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # it was taken out of the interpreter's list of modules
        return False


def check_model(name: str) -> ConditionSpec | None:
    """What a model can be asked for; None where it has yet to be fetched from the Hub.

    Raises:
        InputError: there is no such model, or its folder is damaged.
    """
    from gaussiandiffusion.pipeline.bundled import local_model
    from gaussiandiffusion.pipeline.index import read_conditions, read_index

    folder = local_model(name)
    if folder is None:
        return None
    read_index(folder)
    return read_conditions(folder)


def check_sheet(name: str, spec: ConditionSpec, asked: Mapping[str, Value], loops: Sequence[str]) -> None:
    """Refuse a sheet of a model that has no frames, or of what it never brings together; raises InputError."""
    from gaussiandiffusion.gallery import animations

    try:
        animations(spec, asked, loops)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def check_images(source: str) -> None:
    """Refuse a source that is neither a file nor a folder nor a data set; raises InputError."""
    from gaussiandiffusion.data.datasets import find_dataset
    from gaussiandiffusion.data.sources import KINDS, unknown_dataset

    path = Path(source).expanduser()
    if find_dataset(source) is None and not path.exists():
        if path.name == source and not path.suffix:
            raise unknown_dataset(source)
        raise InputError(f"{path}: no such file or folder; give {KINDS}")


def check_template(start: str) -> None:
    """Refuse a start by a template whose file is not there; raises InputError."""
    file = start.removeprefix("template:")
    if file != start and not Path(file).is_file():
        raise InputError(f"{file}: no such splat file; --learn-template FILE writes one")
