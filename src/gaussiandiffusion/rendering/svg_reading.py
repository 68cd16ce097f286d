"""Reading the SVG that `svg` writes: exactly where it is as written, and by its looks where it was edited.

The numbers beside a shape count as long as the shape looks as they say, its place and its colour each by itself; what
was moved or recoloured is read from what is drawn, to 0.0001 pixels and 8 bits. Shapes deleted or hidden are gone,
copies are splats of their own. What came of an encoder is not said of a set that has lost or gained splats, since the
numbers of its splats are others then.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import parse_json, to_record
from gaussiandiffusion.rendering.svg_parsing import Document, Drawn, parse_svg
from gaussiandiffusion.rendering.svg_shapes import MOST_LAYERS, REACH, levels, shapes_of
from gaussiandiffusion.splats import Canvas, SplatFile, Splats
from gaussiandiffusion.splats.rows import Row, sets_of_rows
from gaussiandiffusion.splats.set_source import Loaded, Reading
from gaussiandiffusion.splats.storage import FORMAT_VERSION, Header

KIND = "SVG"
LARGEST = 512 << 20  # bytes
SAME = 1.5e-4  # of pixels and of colours: what writing rounds, and an editor's rounding of that
LARGEST_NUMBER = 1e30  # well within float32
EPSILON = torch.finfo(torch.float32).eps


@dataclass(frozen=True)
class Notes:
    """What a file says beside its header."""

    num_splats: int
    background: list[float]


def open_svg(path: Path, reading: Reading) -> Loaded:
    """An SVG of ours as a source of one set. It says everything itself.

    Raises:
        InputError: as `read_svg`; or something else is said of it.
    """
    reading.refuse(path, KIND)
    return Loaded(read_svg(path), KIND)


def read_svg(path: Path) -> SplatFile:
    """Read the set that an SVG of ours draws.

    Raises:
        InputError: missing, too large, no XML, not ours, or it draws what is no splat.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}: is larger than {LARGEST} bytes, which no SVG of ours is")
    try:
        document = parse_svg(content)
        return _file(document, path)
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _file(document: Document, path: Path) -> SplatFile:
    values = parse_json(document.notes, f"{path}: its metadata")
    header: Header = to_record(values, Header, f"{path}: its metadata")
    notes: Notes = to_record(values, Notes, f"{path}: its metadata")
    if header.format_version != FORMAT_VERSION:
        raise InputError(
            f"format version {header.format_version} is not supported; this package reads {FORMAT_VERSION}"
        )
    if header.canvas[2] not in (1, 3):
        raise InputError(f"its metadata names {header.canvas[2]} channels; an SVG of ours has 1 or 3")
    _, _, width, height = document.page
    page = Canvas(max(1, round(height)), max(1, round(width)), header.canvas[2])
    written = Canvas(*header.canvas)
    canvas = written if written.resized(page.longer_side) == page else page
    rows, exact = _rows(document, page)
    if not rows:
        raise InputError("holds no splats that are seen")
    colored = any(len(set(row.color)) > 1 for row in rows)
    background = _background(document, notes)
    if canvas.channels == 1 and (colored or len(set(background)) > 1):
        canvas = replace(canvas, channels=3)
    splats = _splats(rows, canvas, background).validate(str(path))
    encoder = header.encoder if len(rows) == notes.num_splats else {}
    if not (exact == len(rows) == notes.num_splats and canvas == written and list(background) == notes.background):
        header = Header.of(splats, signed=False, encoder=encoder, source=header.source)  # what else it says is no more
    return SplatFile(splats, replace(header, blending="sum", output="clamp", signed=False))


def _background(document: Document, notes: Notes) -> tuple[float, ...]:
    drawn = document.background or (0.0, 0.0, 0.0)
    known = torch.tensor([notes.background], dtype=torch.float64)
    if known.shape[1] in (1, 3) and bool(known.isfinite().all()):
        said = levels(known)[0]
        if bool((said == levels(torch.tensor([drawn], dtype=torch.float64))[0]).all()):
            return tuple(notes.background)
    return drawn


def _rows(document: Document, page: Canvas) -> tuple[list[Row], int]:
    """The splats of all shapes, and how many of them look as the numbers beside them say.

    Neighbours that lie in one place and have the same numbers are layers of one.
    """
    groups = [
        (numbers, list(group))
        for (numbers, _), group in itertools.groupby(document.shapes, key=lambda shape: (shape.numbers, shape.matrix))
    ]
    known = [_known(numbers, page.channels) for numbers, _ in groups]
    present = [row for row in known if row is not None]
    if not present:
        return [_by_looks(seen, document.page) for _, group in groups if (seen := _shown(group))], 0
    drawn = shapes_of(_splats(present, page, (0.0,) * page.channels), page)
    written = zip(drawn.matrices.tolist(), drawn.fills.tolist(), drawn.layers.tolist(), strict=True)
    same_page = document.page == (0, 0, page.width, page.height)
    rows: list[Row] = []
    exact = 0
    for row, (_, group) in zip(known, groups, strict=True):
        matrix, fill, layers = ([], [], 1) if row is None else next(written)
        seen = _shown(group)
        if row is not None and layers == 0:  # too dark to be seen, so written undrawn
            rows += [row] * len(group)
            exact += len(group)
        elif row is None or layers > MOST_LAYERS:
            rows += [_by_looks(seen, document.page)] if seen else []
        elif seen:
            placed = same_page and _near(seen[0].matrix, matrix)
            looks = row if placed else _by_looks(seen, document.page)
            colored = len(seen) % layers == 0 and all(_near(shape.color, [v / 255 for v in fill]) for shape in seen)
            own = row if colored else _by_looks(seen, document.page)
            both = replace(looks, color=own.color, opacity=own.opacity)
            copies = len(seen) // layers if colored else 1
            rows += [both] * copies
            exact += copies * (both == row)
    return rows, exact


def _shown(group: list[Drawn]) -> list[Drawn]:
    return [shape for shape in group if shape.shown]


def _near(values: Sequence[float], others: Sequence[float]) -> bool:
    return all(abs(a - b) <= SAME for a, b in zip(values, others, strict=True))


def _known(numbers: str | None, channels: int) -> Row | None:
    """The numbers beside a shape; None where they are none."""
    try:
        values = [float(word) for word in (numbers or "").split()]
    except ValueError:
        return None
    if len(values) not in (5 + channels, 6 + channels) or not all(abs(value) < LARGEST_NUMBER for value in values):
        return None
    x, y, sigma_x, sigma_y, rho, *color = values
    opacity = color.pop() if len(color) > channels else None
    sound = min(sigma_x, sigma_y) > 1 / LARGEST_NUMBER and abs(rho) < 1 - EPSILON / 4
    sound = sound and min(color) >= 0 and 0 <= (opacity or 0) <= 1
    return Row((x, y), (sigma_x, sigma_y), rho, tuple(color), opacity) if sound else None


def _by_looks(seen: list[Drawn], box: tuple[float, float, float, float]) -> Row:
    """One splat for shapes in one place, whose colours add up."""
    a, b, c, d, e, f = seen[0].matrix
    if a * d == b * c:
        raise InputError("holds a shape that is flat (its transform has no inverse); take it out")
    sigma_x, sigma_y = math.hypot(a, c), math.hypot(b, d)
    rho = (a * b + c * d) / (sigma_x * sigma_y)
    left, top, width, height = box
    scale = max(width, height) / 2
    unit = scale * REACH
    limit = 1 - EPSILON
    color = tuple(sum(channel) for channel in zip(*(shape.color for shape in seen), strict=True))
    mean = ((e - left - width / 2) / scale, (f - top - height / 2) / scale)
    return Row(mean, (sigma_x / unit, sigma_y / unit), min(limit, max(-limit, rho)), color, None)


def _splats(rows: list[Row], canvas: Canvas, background: tuple[float, ...]) -> Splats:
    def colors(values: tuple[float, ...]) -> tuple[float, ...]:
        return values * 3 if len(values) < canvas.channels else values[: canvas.channels]

    rows = [replace(row, color=colors(row.color)) for row in rows]
    return sets_of_rows([rows], canvas, [colors(background)])
