"""Values that come from files, checked once where they come in: JSON, TOML and headers into typed records."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from gaussiandiffusion.ground.errors import InputError

LARGEST = 16 << 20  # bytes of a file of settings or records
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # as JSON escapes it; in pairs one character
DEEPEST = 32  # brackets within brackets; far beyond any record, far below Python's limit

Record = TypeVar("Record")


def read_record(path: str | os.PathLike[str], kind: Callable[..., Record], largest: int = LARGEST) -> Record:
    """Read a JSON file as `kind`: a dataclass, a msgspec struct, or a type such as `dict[str, int]`.

    Fields that the record does not know are passed over, so that newer files can be read.

    Raises:
        InputError: the file is missing, too large, no JSON, or holds something else.
    """
    return to_record(parse_json(read_text(path, largest), path), kind, path)


def read_text(path: str | os.PathLike[str], largest: int = LARGEST) -> str:
    """The text of a file.

    Raises:
        InputError: the file is missing, larger than `largest` bytes, or no UTF-8.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise InputError(f"{path}: is larger than {largest} bytes, which no file of its kind is")
        return content.decode()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def parse_json(text: str, where: str | os.PathLike[str]) -> Any:
    """Values of JSON text; raises InputError for anything else, and for brackets nested without end."""
    value = _parsed(text, json.loads, "JSON", where)
    if SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeError:
            raise InputError(f"{where}: holds half a character (a lone surrogate), which is no text") from None
    return value


def parse_toml(text: str, where: str | os.PathLike[str]) -> dict[str, Any]:
    """Values of TOML text; raises InputError for anything else, and for brackets nested without end."""
    return _parsed(text, tomllib.loads, "TOML", where)


def _parsed(text: str, parse: Callable[..., Any], language: str, where: str | os.PathLike[str]) -> Any:
    try:
        value = parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not readable {language} ({str(error).splitlines()[0]})") from error
    if _deeper(value, DEEPEST):
        raise InputError(f"{where}: is nested more than {DEEPEST} levels deep")
    return value


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(each, levels - 1) for each in inner)


def to_record(value: object, kind: Any, where: str | os.PathLike[str]) -> Any:
    """Plain values as `kind`, every field of its declared type and range; whole numbers pass for floats.

    Raises:
        InputError: a field is missing or is something else, named with what it must be.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        refusal = error.__cause__
        if isinstance(refusal, InputError):  # from a record's own checks
            raise InputError(f"{where}: {refusal}") from error
        choices = _choices(kind)
        wanted = f"must be {' or '.join(choices)}, not {value!r:.40}" if choices else _sentence(str(error))
        raise InputError(f"{where}: {wanted}") from error
    except (RecursionError, OverflowError) as error:
        raise InputError(f"{where}: holds values that no file of its kind has ({error})") from error


def _choices(kind: Any) -> list[str]:
    """The words that a choice between words allows; none for other kinds."""
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return (
        [word for part in get_args(kind) for word in _choices(part)] if get_origin(kind) in (Union, UnionType) else []
    )


def _sentence(error: str) -> str:
    """msgspec's words in ours: "`Expected int, got str - at $.encoder.iterations`" names the field first."""
    said, _, place = error.partition(" - at ")
    field = re.sub(r"^\$\.?", "", place.strip("`"))
    return f"{field}: {said[:1].lower()}{said[1:]}".removeprefix(": ").replace("`", "")


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file; False too for names that the system does not take."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
