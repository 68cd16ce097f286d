"""Which operations there are, by name, and their text: `NAME:KEY=VALUE,...`. PyTorch comes with the first one made.

A further operation is a frozen dataclass (`operations.base.Operation`) in a file of `operations`, and a line here.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from gaussiandiffusion.edit.grammar import nearest
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record

if TYPE_CHECKING:
    from gaussiandiffusion.edit.operations.base import Operation


@dataclass(frozen=True)
class Entry:
    """An operation before it is imported.

    Attributes:
        home: "module:Class" in `edit.operations`.
        usage: an example of its text.
        says: what it does.
    """

    home: str
    usage: str
    says: str


OPERATIONS: dict[str, Entry] = {
    "move": Entry("place:Move", "move:x=0.1,y=-3px", "right by x, down by y"),
    "rotate": Entry(
        "place:Rotate", "rotate:degrees=15,about=center", "clockwise, about the selection's centroid or x,y"
    ),
    "scale": Entry("place:Scale", "scale:factor=1.2,x=2,y=1,about=0.1,0.2", "enlarge; by x and y each along its axis"),
    "shear": Entry(
        "place:Shear", "shear:x=0.2,y=0,about=center", "slant right by x a unit down, down by y a unit right"
    ),
    "flip": Entry("place:Flip", "flip:axis=vertical", "mirror: horizontal (left and right) or vertical"),
    "align": Entry("align:Align", "align:x=left,y=bottom", "to x=left, center, right and y=top, center, bottom"),
    "recolor": Entry(
        "looks:Recolor",
        "recolor:hue=30,saturation=1.2,brightness=0.8",
        "or palette=#1b1b3a,#f2c14e, or replace=#ff0000,by=#0000ff,distance=20",
    ),
    "opacity": Entry("looks:Opacity", "opacity:factor=0.5", "multiply, to at most 1"),
    "delete": Entry("number:Delete", "delete", "take the selected splats away"),
    "duplicate": Entry("number:Duplicate", "duplicate:copies=5,x=0.2,y=0,degrees=10", "copies, each on from the last"),
    "prune": Entry("prune:Prune", "prune:keep=5000", "drop what matters least; or db=35, the PSNR to stay within"),
    "densify": Entry(
        "densify:Densify",
        "densify:file=photo.png,splats=5000",
        "add splats where a picture is missed, and fit them to it",
    ),
    "layer": Entry("layer:Layer", "layer:file=B.safetensors,x=0.3,y=0,scale=0.5", "sets of a file drawn with these"),
    "crop": Entry("canvas:Crop", "crop:x0=4px,y0=4px,x1=24px,y1=24px", "a box of the picture; units or pixels"),
    "canvas": Entry(
        "canvas:Resize",
        "canvas:width=64,height=48,anchor=top-left",
        "another canvas; content=keep, fit or stretch",
    ),
    "turn": Entry("canvas:Turn", "turn:quarters=1", "the picture and its canvas by right angles, clockwise"),
    "tile": Entry("canvas:Tile", "tile:columns=3,rows=2", "the picture side by side on a larger canvas"),
}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def split_operation(text: str) -> tuple[str, dict[str, str]]:
    """Name and values of `NAME:KEY=VALUE,...`; a value may hold commas, but for one before another `KEY=`.

    Raises:
        InputError: there is no such operation, or what follows is not of that form.
    """
    name, _, rest = text.strip().partition(":")
    entry = find(name)
    values: dict[str, str] = {}
    for part in re.split(r",(?=\s*\w+\s*=)", rest) if rest.strip() else []:
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not value:
            raise InputError(f"operation '{text}': '{part.strip()}' is not KEY=VALUE, as in {entry.usage}")
        if key in values:
            raise InputError(f"operation '{text}': {key} is given twice")
        values[key] = value
    return name, values


def find(name: str) -> Entry:
    """An operation's entry; raises InputError with the nearest name for one that there is not."""
    if name not in OPERATIONS:
        raise InputError(f"there is no operation '{name[:40]}'; {nearest(name[:40], list(OPERATIONS))}")
    return OPERATIONS[name]


def parse_operation(text: str) -> Operation:
    """An operation from its text.

    Raises:
        InputError: no such operation or key, a key that is missing, a value out of its range, a key that
            means nothing beside the others, or no key where nothing is done without. The last two may be in Python and
            in a history.
    """
    name, words = split_operation(text)
    kind = operation_class(name)
    hints, known = get_type_hints(kind), {each.name: each for each in _keys(kind)}
    values = {}
    for key, word in words.items():
        if key not in known:
            said = nearest(key, list(known)) if known else "it takes none"
            raise InputError(f"operation '{text}': {name} has no key '{key}'; {said}")
        values[key] = _value(word, hints[key], f"operation '{text}': {key}")
    if missing := [key for key, each in known.items() if each.default is MISSING and key not in values]:
        raise InputError(f"operation '{text}': {name} needs {' and '.join(missing)}, as in {OPERATIONS[name].usage}")
    operation = _made(kind, values, f"operation '{text}'")
    if not values and not kind.bare:
        raise InputError(f"operation '{text}': changes nothing so; {name} takes {', '.join(known)}, "
                         f"as in {OPERATIONS[name].usage}")  # fmt: skip
    for key, needed in operation.idle().items():
        if key in values:
            raise InputError(f"operation '{text}': {key} changes nothing so; {needed}, or leave it out")
    return operation


def from_values(values: Mapping[str, Any], where: str) -> Operation:
    """An operation from JSON values, as a history has them.

    Raises:
        InputError: it is none; `where` says whose values they are.
    """
    name = values.get("op")
    if not isinstance(name, str):
        raise InputError(f"{where}: an edit names no operation; edit again")
    find(name)
    return _made(operation_class(name), {key: value for key, value in values.items() if key != "op"}, where)


def operation_class(name: str) -> type[Operation]:
    module, _, cls = find(name).home.partition(":")
    return getattr(import_module(f"gaussiandiffusion.edit.operations.{module}"), cls)


def _keys(kind: type[Operation]) -> tuple[Field[Any], ...]:
    return fields(kind)  # type: ignore[arg-type]  # every operation is a dataclass


def _made(kind: type[Operation], values: Mapping[str, Any], where: str) -> Operation:
    return to_record(dict(values), kind, where)


def _value(word: str, hint: Any, what: str) -> Any:
    """A word as the JSON value that a field of this type takes.

    Raises:
        InputError: it is none of the kind.
    """
    kinds = _parts(hint)
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if word in choices:
        return word
    for kind in kinds:
        if get_origin(kind) is tuple:
            pieces = [piece.strip() for piece in word.split(",")]
            if str in get_args(kind):
                return pieces
            if len(pieces) == 2 and all(map(NUMBER.fullmatch, pieces)):
                return [float(piece) for piece in pieces]
    if bool in kinds and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if int in kinds and re.fullmatch(r"[-+]?\d{1,9}", word):
        return int(word)
    if float in kinds and NUMBER.fullmatch(word):
        return float(word)
    if str in kinds:
        return word
    raise InputError(f"{what} must be {_words(kinds, choices)}, not '{word[:40]}'")


def _words(kinds: list[Any], choices: list[str]) -> str:
    """What a field takes, in words."""
    said = list(choices)
    said += ["two numbers as 0.1,0.2"] * any(get_origin(kind) is tuple for kind in kinds)
    for kind, words in ((bool, "true or false"), (int, "a whole number"), (float, "a finite number")):
        said += [words] * (kind in kinds)
    return " or ".join(said)


def _parts(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return [part for each in get_args(hint) for part in _parts(each)]
    return [hint]
