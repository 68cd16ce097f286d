"""Presets and files of settings: TOML or JSON, a table for each part of `TrainConfig`, or flat as they used to be."""

from __future__ import annotations

import dataclasses
import difflib
import functools
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, parse_json, parse_toml, read_text, to_record
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.paths import located

Address = tuple[str, ...]  # of a setting: part and name

# Settings of before, with the only value that still means something: what everybody gets.
GONE = {"feature_weights": "uniform"}


def _addresses(kind: type, here: Address = (), prefix: str = "") -> dict[str, Address]:
    """Flat name -> address of every setting; the name is that of its flag."""
    found: dict[str, Address] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        plain, named = hint, name
        if get_origin(hint) is Annotated:
            plain, remark, *_ = get_args(hint)
            named = remark.name.replace("-", "_")
        if not dataclasses.is_dataclass(plain):
            found[prefix + named] = (*here, name)
        elif here:  # a table within a part keeps its name in the flags
            found |= _addresses(plain, (*here, name), f"{prefix}{named}." if named else prefix)  # type: ignore[arg-type]  # a class
        else:
            found |= _addresses(plain, (name,))  # type: ignore[arg-type]  # likewise
    return found


SETTINGS = _addresses(TrainConfig)
_OLD_NAMES = {"model": "network"}


def presets() -> dict[str, Path]:
    """Presets that come with the package, by name."""
    root = Path(str(resources.files("gaussiandiffusion") / "configs"))
    return {path.stem: path for path in sorted(root.glob("*.toml"))}


def load_config(source: str | Path) -> TrainConfig:
    """Read a preset by name, or a .toml or .json file of settings, in which paths are relative to it.

    Raises:
        InputError: unknown preset, unreadable file, unknown setting or a value of the wrong type.
    """
    path = presets().get(str(source), Path(source))
    if not is_file(path):
        raise InputError(f"no preset or file '{source}'; presets: {', '.join(presets())}")
    text = read_text(path)
    values = parse_json(text, path) if path.suffix == ".json" else parse_toml(text, path)
    return to_config(located(flat_settings(values, path), path.parent), path)


def at_home(config: TrainConfig) -> TrainConfig:
    """A configuration whose relative paths begin in the working folder, with absolute ones."""
    return to_config(located(to_flat(config), Path()), "settings")


def to_config(settings: dict[str, Any], where: Path | str) -> TrainConfig:
    """A configuration from flat settings; those not given are the defaults.

    Raises:
        InputError: a value of the wrong type, or settings that do not go together.
    """
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *parts, last = SETTINGS[name]
        table = nested
        for part in parts:
            table = table.setdefault(part, {})
        table[last] = value
    for name, value in settings.items():  # one by one first, so that an error names the setting as it was written
        _check_type(name, value, where)
    return to_record(nested, TrainConfig, where)


def flat_settings(values: object, where: Path | str) -> dict[str, Any]:
    """Flat settings of a file's values, whose tables are the parts of `TrainConfig`, or of a flat file of before.

    Raises:
        InputError: a setting that does not exist, with the nearest that does.
    """
    if not isinstance(values, dict):
        raise InputError(f"{where}: must be a table of settings, not {values!r:.40}")
    by_address = {address: name for name, address in SETTINGS.items()}
    found: dict[str, Any] = {}

    def collect(table: dict[str, Any], here: Address, prefix: str) -> None:
        for key, value in table.items():
            address = (*here, key)
            full = prefix + key if isinstance(value, dict) else _OLD_NAMES.get(prefix + key, prefix + key)
            deeper = any(known[: len(address)] == address and known != address for known in by_address)
            if address in by_address:
                name = by_address[address]
            elif deeper and isinstance(value, dict):
                collect(value, address, "")
                continue
            elif full in GONE:
                if value != GONE[full]:
                    raise InputError(f"{where}: {full} = {value!r} is gone, it did not pay; leave it out")
                continue
            elif full in SETTINGS and not here:
                name = full
            elif not here and isinstance(value, dict) and any(known.startswith(f"{full}.") for known in SETTINGS):
                collect(value, (), f"{full}.")
                continue
            else:
                raise _unknown(".".join(address) if here else full, where)
            if name in found:
                raise InputError(f"{where}: '{name}' is set twice; leave one out")
            found[name] = value

    collect(values, (), "")
    return found


def to_flat(config: TrainConfig) -> dict[str, Any]:
    """A configuration's flat settings."""
    values = config.to_dict()

    def at(address: Address) -> Any:
        value: Any = values
        for part in address:
            value = value[part]
        return value

    return {name: at(address) for name, address in SETTINGS.items()}


def with_settings(config: TrainConfig, **settings: Any) -> TrainConfig:
    """A configuration with some settings changed, by their flat names; `augment` and the parts are tables.

    Raises:
        InputError: a setting that does not exist, or a value that it does not take.
    """
    return to_config(to_flat(config) | flat_settings(settings, "settings"), "settings")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _check_type(name: str, value: object, where: Path | str) -> None:
    kind: Any = TrainConfig
    for part in SETTINGS[name]:
        kind = _hints(kind)[part]
    to_record(value, kind, f"{where}: {name}")


def _unknown(name: str, where: Path | str) -> InputError:
    parts = [part.name for part in dataclasses.fields(TrainConfig)]
    *table, last = name.split(".")
    if table and last in SETTINGS:
        home = SETTINGS[last][0]
        return InputError(f"{where}: '{last}' does not belong to [{table[0]}]; move it to [{home}]")
    near = difflib.get_close_matches(last, parts, n=1, cutoff=0.75)
    near = near or difflib.get_close_matches(last, SETTINGS, n=1) or difflib.get_close_matches(name, SETTINGS, n=1)
    hint = f"did you mean '{near[0]}'? Known" if near else "known"
    return InputError(f"{where}: unknown setting '{name}'; {hint} are {', '.join(SETTINGS)} "
                      f"and the tables {', '.join(parts)}")  # fmt: skip
