"""Operations applied one after another, each to its selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.expressions import select
from gaussiandiffusion.edit.grammar import files_of, parse
from gaussiandiffusion.edit.operations.base import Operation
from gaussiandiffusion.edit.registry import parse_operation
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats

Where = str | Bool[Tensor, "n k"] | None
SAME = "selected"  # the splats that the operation before was about


@dataclass(frozen=True)
class Step:
    """An operation on sets.

    Attributes:
        where: what it is kept to; None: all splats.
        places: where some of the files lie that both read.
        limit: the first so many sets are taken, and what was selected before is not known any more.
    """

    operation: Operation
    where: Where = None
    places: Mapping[str, Path] = field(default_factory=dict)
    limit: int | None = None

    def files(self) -> tuple[str, ...]:
        """Names of the files that operation and selection read."""
        masks = files_of(parse(self.where)) if isinstance(self.where, str) else ()
        return tuple(dict.fromkeys((*self.operation.files(), *masks)))


def steps_of(operations: Sequence[Operation | str], where: Where | Sequence[Where] = None) -> list[Step]:
    """Operations with their selections.

    Args:
        operations: as they are, or as text: "rotate:degrees=15".
        where: one for all, chosen before the first and then followed through the others; or one for each, chosen
            when its turn comes. "all" and None are all splats, "selected" those of the operation before. What changes
            the picture as a whole has none, but passes that before it on.

    Raises:
        InputError: no operation, a text that is none, other numbers of selections, or a selection for what changes
            the picture as a whole.
    """
    made = [parse_operation(each) if isinstance(each, str) else each for each in operations]
    if not made:
        raise InputError("there is nothing to do; give an operation, such as rotate:degrees=15")
    if where is None or isinstance(where, str | Tensor):
        follows = [None if where is None or operation.whole else SAME for operation in made[1:]]
        wheres: list[Where] = [where, *follows]
    else:
        wheres = list(where)
    if len(wheres) != len(made):
        raise InputError(
            f"{len(wheres)} selections for {len(made)} operations; give one for all, or one for each in their order "
            "('all' for all splats)"
        )
    steps = []
    for operation, each in zip(made, wheres, strict=True):
        every = each is None or (isinstance(each, str) and each.strip() == "all")
        if operation.whole and not every:
            raise InputError(f"{operation.name} changes the picture as a whole and takes no selection; "
                             "put it after one that has, or give each its own")  # fmt: skip
        steps.append(Step(operation, None if every else each))
    return steps


def run_steps(splats: Splats, steps: Sequence[Step], *, base: Path | None = None) -> Splats:
    """Sets after every step.

    Args:
        base: folder that the files lie in whose places the steps do not know; default: the working folder.

    Raises:
        InputError: a selection is none or holds no splat, or an operation cannot be done; says which.
    """
    selected: Bool[Tensor, "n k"] | None = None
    for number, step in enumerate(steps, 1):
        if step.limit is not None:
            splats, selected = splats[: step.limit], None
        where = selected if step.operation.whole else step.where
        files = {name: step.places.get(name, (base or Path()) / name) for name in step.files()}
        if isinstance(where, str):
            now = selected if selected is not None else select(splats, "all")
            where = select(splats, where, files=files, selected=now if number > 1 else None)
        if where is not None and where.shape != splats.rhos.shape:
            raise InputError(f"a selection of {tuple(where.shape)} splats is not of sets of {tuple(splats.rhos.shape)}")
        if step.where is not None and where is not None and not bool(where.any()):
            said = f"'{step.where}' " if isinstance(step.where, str) else ""
            raise InputError(f"operation {number}, {step.operation.name}: the selection {said}holds no splat; "
                             "select some, or leave the operation out")  # fmt: skip
        edited = step.operation.located(files).edit(splats, where)
        splats, selected = _checked(edited.splats, f"operation {number}, {step.operation.name}"), edited.selected
    return splats


def _checked(splats: Splats, what: str) -> Splats:
    """The sets, if every value is still one that splats can have."""
    try:
        return splats.validate()
    except InputError as error:
        reason = str(error).removeprefix("splats: ").partition(";")[0]
        raise InputError(f"{what}: its values are too large or too small for these splats ({reason}); "
                         "ask for less") from error  # fmt: skip


def apply(
    splats: Splats,
    operations: Sequence[Operation | str] | Operation | str,
    *,
    where: Where | Sequence[Where] = None,
    base: Path | None = None,
) -> Splats:
    """Sets after one operation or several, each kept to its selection.

    Args:
        splats: the sets; they stay as they are.
        operations: in order, as they are or as text: `Rotate(degrees=15)`, "rotate:degrees=15".
        where: a selection for all: an expression (`select`) or a mask, chosen before the first and then followed; or
            a list of one for each. None: all splats.
        base: folder that files lie in, of layers and masks; default: the working folder.

    Raises:
        InputError: an operation or a selection is none, holds no splat, or cannot be done with these sets.
    """
    each = [operations] if isinstance(operations, str | Operation) else operations
    return run_steps(splats, steps_of(each, where), base=base)
