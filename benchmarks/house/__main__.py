"""Draws the package as a house, from its own imports: docs/pictures/house.svg.

    python -m benchmarks.house

A room is a package, as wide as its lines of code; its files are named inside. Lines lead from a room to those it
imports from; the ground floor, which all stand on, has none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import grimp
import tyro

from gaussiandiffusion.ground.files import write_bytes

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "gaussiandiffusion"
WIDTH, ROOM, GAP, MARGIN = 1000, 62, 26, 20  # pixels
LETTER = 6.1  # pixels of a letter of the files' names


@dataclass(frozen=True)
class Arguments:
    """Draw the house."""

    out: Path = ROOT / "docs" / "pictures" / "house.svg"
    """SVG file to write."""


@dataclass(frozen=True)
class Room:
    """A package.

    Attributes:
        name: of the package.
        files: its modules, the longest first.
        lines: of code.
        top, left, width: of its box.
    """

    name: str
    files: list[str]
    lines: int
    top: int
    left: float
    width: float


def rooms() -> Iterator[Room]:
    """The rooms as they lie, from the roof down."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    names = contract["layers"]
    found = {}
    for name in names:
        lines = {p: len(p.read_text().splitlines()) for p in (PACKAGE / name).rglob("*.py") if p.stem != "__init__"}
        found[name] = sorted(lines, key=lambda path: -lines[path]), sum(lines.values())
    most = max(lines for _, lines in found.values())
    for floor, name in enumerate(names):
        files, lines = found[name]
        width = (0.45 + 0.55 * lines / most) * (WIDTH - 2 * MARGIN)
        stems = [path.relative_to(PACKAGE / name).with_suffix("").as_posix() for path in files]
        yield Room(name, stems, lines, MARGIN + floor * (ROOM + GAP), (WIDTH - width) / 2, width)


def drawing() -> str:
    """The house as SVG."""
    found = list(rooms())
    graph = grimp.build_graph("gaussiandiffusion")
    for room in found:
        graph.squash_module(f"gaussiandiffusion.{room.name}")
    lines, boxes = [], []
    for upper in found:
        for lower in found[found.index(upper) + 1 :]:
            if lower.name == "ground":
                continue
            if graph.direct_import_exists(
                importer=f"gaussiandiffusion.{upper.name}", imported=f"gaussiandiffusion.{lower.name}"
            ):
                share = (found.index(lower) + 1) / (len(found) + 1)  # each lower room is reached at a place of its own
                across = upper.left + upper.width * share, lower.left + lower.width * share
                down = upper.top + ROOM, lower.top
                bend = min(40, (down[1] - down[0]) / 2)
                lines.append(
                    f'<path d="M{across[0]:.0f} {down[0]} C{across[0]:.0f} {down[0] + bend:.0f} {across[1]:.0f} '
                    f'{down[1] - bend:.0f} {across[1]:.0f} {down[1]}"/>'
                )
        boxes.append(_box(upper))
    height = 2 * MARGIN + len(found) * (ROOM + GAP) - GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        f'<g fill="none" stroke="#9db4c8" stroke-width="1.2">{"".join(lines)}</g>{"".join(boxes)}</svg>\n'
    )


def _box(room: Room) -> str:
    words, length = "", 0.0
    for stem in room.files:
        length += LETTER * (len(stem) + 2)
        if length > room.width - 40:
            words += " ..."
            break
        words += f"{'  ' if words else ''}{stem}"
    ground = ' stroke="#345" stroke-width="3"' if room.name == "ground" else ' stroke="#7a94ab"'
    return (
        f'<rect x="{room.left:.0f}" y="{room.top}" width="{room.width:.0f}" height="{ROOM}" rx="4" '
        f'fill="#e6eef5"{ground}/>'
        f'<text x="{room.left + 12:.0f}" y="{room.top + 25}" font-size="17" font-weight="bold">{room.name}</text>'
        f'<text x="{room.left + room.width - 12:.0f}" y="{room.top + 25}" font-size="13" fill="#567" '
        f'text-anchor="end">{room.lines:,}</text>'
        f'<text x="{room.left + 12:.0f}" y="{room.top + 47}" font-size="12" fill="#345" xml:space="preserve">'
        f"{escape(words)}</text>"
    )


def main(arguments: Arguments) -> None:
    write_bytes(arguments.out, drawing().encode())
    print(f"{len(list(rooms()))} rooms: {arguments.out}")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
