"""The shapes that an SVG of ours draws, as it now looks: whatever an editor has moved, recoloured, hidden or wrapped.

Read as a stream by expat, element by element. A document type is refused, and with it all entities; nothing that a file
refers to is ever opened. What draws, but is no splat, is refused rather than left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from gaussiandiffusion.rendering.svg_shapes import MOST_SHAPES, gradient_stops
from gaussiandiffusion.rendering.svg_transforms import (
    IDENTITY,
    Matrix,
    compose,
    parse_color,
    parse_length,
    parse_numbers,
    parse_share,
    parse_transform,
)

SVG = "http://www.w3.org/2000/svg "
STYLE = "g{mix-blend-mode:plus-lighter}svg{isolation:isolate}"
DEEPEST = 64  # elements within elements
LONGEST = 4096  # characters of an attribute that is looked at
DISTORTING = ("filter", "clip-path", "clip", "transform-origin")
FOREIGN = "was not written by this package, and other SVG holds no splats; `encode` a picture of it"


@dataclass(frozen=True)
class Drawn:
    """One splat's shape: where the unit circle goes, what colour it adds, and the numbers written beside it."""

    matrix: Matrix
    color: tuple[float, float, float]
    numbers: str | None
    shown: bool


@dataclass
class Document:
    """What a file draws: its page in user units, its background and its shapes, in order.

    Attributes:
        notes: the text of `<metadata>`; "" in files that are not ours.
        page: (x, y, width, height).
    """

    notes: str = ""
    page: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    background: tuple[float, float, float] | None = None
    shapes: list[Drawn] = field(default_factory=list)


@dataclass(frozen=True)
class _State:
    """What an element hands down to those in it."""

    matrix: Matrix = IDENTITY
    opacity: float = 1.0
    fill: str = "#000000"
    fill_opacity: str = "1"
    shown: bool = True
    numbers: str | None = None


def parse_svg(content: bytes) -> Document:
    """Read a file's bytes.

    Raises:
        ValueError: no XML, not ours, or drawing what is no splat; in words that follow a file's name.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"is not readable XML ({error})") from None
    return reader.finish()


class _Reader:
    def __init__(self) -> None:
        self.document = Document()
        self.stack: list[_State] = []
        self.path: list[str] = []  # of open elements
        self.skipped = 0  # depth at which a part that draws nothing began; 0: none
        self.stops: list[tuple[float, float]] = []
        self.style = ""

    def doctype(self, *_: object) -> None:
        raise ValueError(f"has a document type, as no SVG of ours; it {FOREIGN}")

    def start(self, name: str, given: dict[str, str]) -> None:
        tag = name.removeprefix(SVG) if name.startswith(SVG) else ""
        self.path.append(tag)
        if len(self.path) > DEEPEST:
            raise ValueError(f"is nested more than {DEEPEST} levels deep")
        if self.skipped:
            return
        if len(self.path) == 1:
            if tag != "svg":
                raise ValueError("is no SVG")
            self._open_page(given)
        elif tag in ("", "metadata", "title", "desc", "style", "mask"):
            self.skipped = len(self.path)
        elif "defs" in self.path:
            self._define(tag, given)
        elif not self.document.notes:
            raise ValueError(FOREIGN)
        else:
            self._draw(tag, _properties(given, tag))

    def end(self, _: str) -> None:
        if not self.skipped:
            del self.stack[len(self.path) - 1 :]
        if self.skipped == len(self.path):
            self.skipped = 0
        self.path.pop()

    def text(self, text: str) -> None:
        if self.path == ["svg", "metadata"]:
            self.document.notes += text.strip()
        elif self.path[-1] == "style":
            self.style += text

    def finish(self) -> Document:
        if not self.document.notes:
            raise ValueError(FOREIGN)
        if re.sub(r"\s|;(?=\s*})", "", self.style) != STYLE:
            raise ValueError("has another <style> than it was written with, so what it shows cannot be told")
        ours = gradient_stops()
        if len(self.stops) != len(ours) or any(
            abs(a - b) > 1e-3
            for mine, own in zip(self.stops, ours, strict=True)
            for a, b in zip(mine, own, strict=True)
        ):
            raise ValueError("has another gradient than it was written with, which is no Gaussian; write it again")
        return self.document

    def _open_page(self, given: dict[str, str]) -> None:
        self.stack.append(_State())
        if "viewBox" in given:
            page = parse_numbers(given["viewBox"][:LONGEST])
        else:
            page = [0.0, 0.0, parse_length(given.get("width", "0")), parse_length(given.get("height", "0"))]
        if len(page) != 4 or not (page[2] > 0 and page[3] > 0):
            raise ValueError("has no viewBox, so its size cannot be told; it " + FOREIGN)
        self.document.page = (page[0], page[1], page[2], page[3])

    def _define(self, tag: str, given: dict[str, str]) -> None:
        self.stack.append(self.stack[-1])
        if tag == "radialGradient" and given.get("id") == "g":
            moved = [key for key in given if key not in ("id", "gradientUnits") and given[key] not in ("0.5", "50%")]
            if moved:
                raise ValueError(f"has another gradient than it was written with (its {moved[0].split()[-1]}); "
                                 "write it again")  # fmt: skip
        elif tag == "stop":
            values = _properties(given, tag)
            self.stops.append((parse_share(values.get("offset", "0")), parse_share(values.get("stop-opacity", "1"))))

    def _draw(self, tag: str, values: dict[str, str]) -> None:
        above = self.stack[-1]
        state = replace(
            above,
            matrix=compose(above.matrix, parse_transform(values.get("transform", ""))),
            opacity=above.opacity * parse_share(values.get("opacity", "1")),
            fill=values.get("fill", above.fill),
            fill_opacity=values.get("fill-opacity", above.fill_opacity),
            shown=above.shown and values.get("display") != "none" and values.get("visibility", "visible") == "visible",
            numbers=values.get("data-splat", above.numbers),
        )
        self.stack.append(state)
        if tag == "rect":
            self._lay_background(values, state)
        elif tag == "circle":
            self._add(values, state)
        elif tag != "g":
            raise ValueError(f"holds a <{tag}>, which is no splat; take it out, or `encode` a picture of the whole")

    def _lay_background(self, values: dict[str, str], state: _State) -> None:
        whole = all(values.get(side) == "100%" for side in ("width", "height")) and state.matrix == IDENTITY
        if not whole or self.document.shapes or self.document.background is not None:
            raise ValueError("holds a <rect> beside the background, which is no splat; take it out")
        if state.shown:
            red, green, blue = parse_color(state.fill)
            share = state.opacity * parse_share(state.fill_opacity)
            self.document.background = (red * share, green * share, blue * share)

    def _add(self, values: dict[str, str], state: _State) -> None:
        place = [parse_length(values.get(key, default)) for key, default in (("cx", "0"), ("cy", "0"), ("r", "0"))]
        if place != [0, 0, 1] or re.sub(r"[\"'\s]", "", values.get("mask", "")) != "url(#m)":
            raise ValueError("holds a <circle> that is no splat any more (cx, cy, r or its mask was changed); "
                             "move, turn and scale shapes by their transform")  # fmt: skip
        if len(self.document.shapes) == MOST_SHAPES:
            raise ValueError(f"holds more than {MOST_SHAPES} shapes")
        red, green, blue = parse_color(state.fill)
        share = state.opacity * parse_share(state.fill_opacity)
        color = (red * share, green * share, blue * share)
        self.document.shapes.append(Drawn(state.matrix, color, state.numbers, state.shown))


def _properties(given: dict[str, str], tag: str) -> dict[str, str]:
    """Attributes, and over them the declarations in `style`; what the drawing cannot be told from is refused."""
    values = {key: text for key, text in given.items() if " " not in key}
    if any(len(text) > LONGEST for text in values.values()):
        raise ValueError(f"has a <{tag}> with an attribute of more than {LONGEST} characters")
    declared = {}
    for declaration in values.pop("style", "").split(";"):
        key, _, text = declaration.partition(":")
        declared[key.strip()] = text.strip()
    blend = declared.get("mix-blend-mode", "plus-lighter")
    bent = next((key for key in DISTORTING if {**values, **declared}.get(key, "none") != "none"), None)
    if bent is None and "transform" in declared:
        bent = "transform in its style"
    if bent is None and blend != "plus-lighter":
        bent = f"mix-blend-mode {blend}"
    if bent is None and {**values, **declared}.get("stroke", "none") != "none":
        bent = "stroke"
    if bent is None and tag == "g" and "mask" in {**values, **declared}:
        bent = "mask"
    if bent is not None:
        raise ValueError(f"has a <{tag}> with {bent}, which splats do not have; undo that in the editor")
    return values | declared
