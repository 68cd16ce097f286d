"""Sets as JSON, for programs that read no safetensors: every splat an object of plain numbers.

    {
      "format_version": 1, "canvas": [height, width, channels], "blending": "sum", "output": "clamp",
      "sets": [
        {"label": 3, "splats": [
          {"mean": [x, y], "sigma": [sigma_x, sigma_y], "rho": 0.5, "color": [0.9], "opacity": 1.0},
          ...
        ]},
        ...
      ]
    }

What stands above "sets" is the header of splat files (`storage.Header`), in the conventions of `Splats`: the origin is
the canvas's centre, x right, y down, the longer side is 2. All sets have as many splats. A splat may have an "opacity",
either all or none; a set a "label" or "conditions" (an index for every attribute), a "psnr" in dB, and a "background"
(black without). Numbers have nine digits, which name every float32 exactly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.ground.records import parse_json, read_text, to_record
from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.rows import Row, sets_of_rows
from gaussiandiffusion.splats.set_source import Loaded, Reading
from gaussiandiffusion.splats.splats import Splats
from gaussiandiffusion.splats.storage import FORMAT_VERSION, Header, SplatFile, check_one_each, conditions_of

KIND = "JSON file of sets"
LARGEST = 256 << 20  # bytes; beyond it safetensors is the format


@dataclass(frozen=True)
class JsonSet:
    """One set, with what is known of it."""

    splats: list[Row]
    label: int | None = None
    conditions: list[int] | None = None
    psnr: float | None = None
    background: tuple[float, ...] | None = None


def write_json_sets(
    splats: Splats,
    path: str | os.PathLike[str],
    labels: Int64[Tensor, " n"] | None = None,
    *,
    conditions: Conditions | None = None,
    psnr: Float[Tensor, " n"] | None = None,
    header: Header | None = None,
) -> None:
    """Write sets as JSON, a set a line, whole or not at all.

    Args:
        splats: the sets; written as float32.
        path: the file to write.
        labels, psnr: per-set class and reconstruction PSNR in dB.
        conditions: instead of labels: those of each set, with their names.
        header: of the file that the sets come from, for what it says of their making.

    Raises:
        InputError: non-finite values, labels or PSNR that are not one a set, or the file cannot be written.
    """
    splats.validate(str(path))
    if conditions is not None and conditions.labels is not None:
        labels = conditions.labels
    check_one_each(path, len(splats), labels=labels, psnr=psnr)
    canvas, blending, output = splats.canvas, splats.blending, splats.output
    header = replace(
        header or Header(FORMAT_VERSION, (0, 0, 0), blending, output),
        format_version=FORMAT_VERSION,
        canvas=(canvas.height, canvas.width, canvas.channels),
        blending=blending,
        output=output,
        conditions=None if conditions is None or not conditions.spec else list(conditions.spec.to_dict().items()),
    )
    known: dict[str, list[Any]] = {} if labels is None else {"label": labels.tolist()}
    if labels is None and conditions is not None and conditions.spec:
        known["conditions"] = conditions.values.tolist()
    if psnr is not None:
        known["psnr"] = _numbers(psnr)
    if bool(splats.background.any()):
        known["background"] = _numbers(splats.background)
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(header.to_json()[:-1] + ', "sets": [')
        for index in range(len(splats)):
            own = {name: values[index] for name, values in known.items()}
            file.write(",\n" if index else "\n")
            json.dump(own | {"splats": list(_rows(splats[index]))}, file)
        file.write("\n]}\n")


def read_json_sets(path: str | os.PathLike[str]) -> SplatFile:
    """Read sets from JSON, checking shapes and values.

    Raises:
        InputError: missing, truncated or foreign file, another format version, values that are missing, of another
            type or length, NaN or out of range; sets of different numbers of splats.
    """
    path = Path(path)
    values = parse_json(read_text(path, LARGEST), path)
    if not isinstance(values, dict) or not {"format_version", "sets"} <= values.keys():
        raise InputError(f"{path}: is no JSON file of sets, which has a format_version and sets")
    if values["format_version"] != FORMAT_VERSION:
        raise InputError(f"{path}: format version {values['format_version']!r:.40} is not supported; "
                         f"this package reads {FORMAT_VERSION}")  # fmt: skip
    header: Header = to_record(values, Header, path)
    sets: list[JsonSet] = to_record(values["sets"], list[JsonSet], f"{path}: sets")
    if not sets:
        raise InputError(f"{path}: holds no sets")
    try:
        canvas = Canvas(*header.canvas)
        splats = _splats(sets, canvas, header).validate(str(path))
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    labels = _each([one.label for one in sets], "label", path)
    indices = _each([one.conditions for one in sets], "conditions", path)
    psnr = _each([one.psnr for one in sets], "psnr", path)
    check_one_each(path, len(sets), psnr=None if psnr is None else torch.tensor(psnr, dtype=torch.float32))
    return SplatFile(
        splats,
        header,
        None if labels is None else _integers(labels, path),
        None if psnr is None else torch.tensor(psnr, dtype=torch.float32),
        conditions_of(path, header, _integers(labels, path), _integers(indices, path), len(sets)),
    )


def open_json(path: Path, reading: Reading) -> Loaded:
    """A JSON file as a source of sets. It says everything itself.

    Raises:
        InputError: as `read_json_sets`; or something else is said of it.
    """
    reading.refuse(path, KIND)
    return Loaded(read_json_sets(path), KIND)


def _rows(one: Splats) -> Iterator[dict[str, Any]]:
    columns = {"mean": one.means, "sigma": one.sigmas, "rho": one.rhos, "color": one.colors, "opacity": one.opacities}
    present = {name: _numbers(values[0]) for name, values in columns.items() if values is not None}
    for row in zip(*present.values(), strict=True):
        yield dict(zip(present, row, strict=True))


def _numbers(values: Tensor) -> list[Any]:
    """Nested lists of nine-digit numbers: 1e-9 apart from a float32, half the way to the next is 3e-8."""

    def shorter(value: Any) -> Any:
        return [shorter(each) for each in value] if isinstance(value, list) else float(f"{value:.9g}")

    return shorter(values.detach().float().cpu().tolist())


def _splats(sets: Sequence[JsonSet], canvas: Canvas, header: Header) -> Splats:
    count = len(sets[0].splats)
    with_opacity = bool(sets[0].splats) and sets[0].splats[0].opacity is not None
    for index, one in enumerate(sets):
        if len(one.splats) != count:
            raise InputError(f"set {index} has {len(one.splats)} splats, set 0 has {count}; give all sets as many, "
                             "filled up by splats of colour 0")  # fmt: skip
        for place, splat in enumerate(one.splats):
            if len(splat.color) != canvas.channels:
                raise InputError(f"sets[{index}].splats[{place}].color has {len(splat.color)} numbers, "
                                 f"but the canvas has {canvas.channels} channel(s)")  # fmt: skip
            if (splat.opacity is not None) != with_opacity:
                raise InputError(f"sets[{index}].splats[{place}]: give all splats an opacity, or none")
        if one.background is not None and len(one.background) != canvas.channels:
            raise InputError(f"sets[{index}].background has {len(one.background)} numbers, "
                             f"but the canvas has {canvas.channels} channel(s)")  # fmt: skip
    black = (0.0,) * canvas.channels
    backgrounds = [one.background or black for one in sets]
    rows = [one.splats for one in sets]
    return sets_of_rows(rows, canvas, backgrounds, blending=header.blending, output=header.output)


def _each(values: list[Any], name: str, path: Path) -> list[Any] | None:
    """What every set has; None where none has it."""
    missing = [index for index, value in enumerate(values) if value is None]
    if len(missing) == len(values):
        return None
    if missing:
        raise InputError(f"{path}: set {missing[0]} has no {name}, others have; give it to all sets, or to none")
    return values


def _integers(values: list[Any] | None, path: Path) -> Tensor | None:
    try:
        return None if values is None else torch.tensor(values, dtype=torch.int64)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise InputError(f"{path}: its labels or conditions are not whole numbers, as many for every set") from error
