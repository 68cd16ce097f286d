"""The language of selections, read: text to a tree, with errors that point at the place.

    inside(0, 0, 0.5, 0.5) & color(#ff0000, 20)
    grow(drawn(0.1, -0.2), 0.05) | !brightness(0.1)

`|` is or, `&` is and, `!` or `~` is not; `&` binds before `|`, `!` before both; parentheses group. Nothing here needs
PyTorch, so that a mistake is told at once.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import NoReturn

from gaussiandiffusion.ground.errors import InputError

DEEPEST = 50  # parentheses within parentheses
LONGEST = 20_000  # characters
SHOWN = 60  # characters of an expression around a mistake

# Function -> what stands between its parentheses: "n" a number, "n?" one that may be left out, "s" a selection,
# "#" a colour, "i" indices, "f" a file; "nn*" pairs of numbers, three at least.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "inside": ("n", "n", "n", "n"),
    "ellipse": ("n", "n", "n", "n"),
    "polygon": ("nn*",),
    "mask": ("f",),
    "color": ("#", "n"),
    "index": ("i",),
    "set": ("i",),
    "size": ("n", "n?"),
    "brightness": ("n", "n?"),
    "drawn": ("n", "n", "n?"),
    "grow": ("s", "n"),
    "shrink": ("s", "n"),
}
USAGE = {
    "inside": "inside(x0, y0, x1, y1)",
    "ellipse": "ellipse(x, y, rx, ry)",
    "polygon": "polygon(x, y, x, y, x, y, ...)",
    "mask": "mask(FILE)",
    "color": "color(#rrggbb, distance)",
    "index": "index(0, 4, 10:20)",
    "set": "set(0, 2:5)",
    "size": "size(least, most)",
    "brightness": "brightness(least, most)",
    "drawn": "drawn(x, y, share)",
    "grow": "grow(selection, distance)",
    "shrink": "shrink(selection, distance)",
}
WORDS = ("all", "none", "selected")

TOKEN = re.compile(
    r"\s*(?:(?P<color>#[0-9a-fA-F]*)|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>[()&|!~,:])|(?P<end>$))"
)
FILE = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([^()]*))")


@dataclass(frozen=True)
class Call:
    """A function with its values, or a word without any."""

    name: str
    column: int
    numbers: tuple[float, ...] = ()
    inner: Node | None = None
    color: str = ""
    indices: tuple[int | slice, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Not:
    inner: Node


@dataclass(frozen=True)
class Join:
    """Parts joined by "&" or "|"."""

    mark: str
    parts: tuple[Node, ...]


Node = Call | Not | Join


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int


def parse(expression: str) -> Node:
    """The tree of a selection.

    Raises:
        InputError: it is no selection; shows the place, counted from 1.
    """
    if len(expression) > LONGEST:
        raise InputError(f"a selection of {len(expression)} characters is too long; write at most {LONGEST}")
    reader = _Reader(expression)
    node = reader.either(0)
    if reader.now.kind != "end":
        reader.refuse(reader.now.start, f"'{reader.now.text}' is one too many; join selections by & or |")
    return node


def files_of(node: Node) -> tuple[str, ...]:
    """The files that a selection reads, as they are named in it."""
    if isinstance(node, Call):
        return ((node.file,) if node.file else ()) + (() if node.inner is None else files_of(node.inner))
    parts = (node.inner,) if isinstance(node, Not) else node.parts
    return tuple(dict.fromkeys(name for part in parts for name in files_of(part)))


def refuse(expression: str, column: int, sentence: str) -> NoReturn:
    """Raise InputError that shows the place in the expression."""
    start = max(0, column - 1 - SHOWN // 2)
    shown = expression[start : start + SHOWN]
    shown = f"{'...' if start else ''}{shown}{'...' if start + SHOWN < len(expression) else ''}"
    rest = expression[column - 1 :].strip()
    at = f"at '{rest[:12]}{'...' if len(rest) > 12 else ''}'" if rest else "at the end"
    raise InputError(f"selection '{shown}', column {column}, {at}: {sentence}")


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    """`; did you mean ...?`, or the words there are."""
    close = difflib.get_close_matches(word, known, 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


class _Reader:
    """Recursive descent over the tokens of one expression; `now` is the one to be read next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.now = self._token(0)

    def refuse(self, start: int, sentence: str) -> NoReturn:
        refuse(self.text, start + 1, sentence)

    def _token(self, position: int) -> _Token:
        found = TOKEN.match(self.text, position)
        if found is None:
            start = position + len(self.text[position:]) - len(self.text[position:].lstrip())
            self.refuse(start, f"'{self.text[start]}' means nothing here; {self._example()}")
        kind = str(found.lastgroup)
        return _Token(kind, found[kind], found.start(kind))

    def _example(self) -> str:
        return "a selection is like inside(0,0,0.5,0.5) & color(#ff0000, 20)"

    def take(self) -> _Token:
        token = self.now
        self.now = self._token(token.start + len(token.text))
        return token

    def expect(self, mark: str, call: str) -> None:
        if self.now.text != mark:
            self.refuse(self.now.start, f"'{mark}' must stand here, as in {USAGE.get(call, '(all)')}")
        self.take()

    # --- the grammar, one method a level ------------------------------------------------------------------
    def either(self, depth: int) -> Node:
        return self._joined("|", depth)

    def _joined(self, mark: str, depth: int) -> Node:
        parts = []
        while True:
            parts.append(self._joined("&", depth) if mark == "|" else self._negated(depth))
            if self.now.text != mark:
                return parts[0] if len(parts) == 1 else Join(mark, tuple(parts))
            self.take()

    def _negated(self, depth: int) -> Node:
        odd = False
        while self.now.text in ("!", "~"):
            self.take()
            odd = not odd
        node = self._atom(depth)
        return Not(node) if odd else node

    def _atom(self, depth: int) -> Node:
        token = self.now
        if depth > DEEPEST:
            self.refuse(token.start, f"parentheses are nested more than {DEEPEST} deep; write it flatter")
        if token.text == "(":
            self.take()
            node = self.either(depth + 1)
            self.expect(")", "")
            return node
        if token.kind != "name":
            self.refuse(token.start, f"a selection must stand here; {self._example()}")
        self.take()
        if token.text in WORDS:
            return Call(token.text, token.start + 1)
        if token.text not in FUNCTIONS:
            self.refuse(token.start, f"there is no selection '{token.text}'; "
                        f"{nearest(token.text, [*FUNCTIONS, *WORDS])}")  # fmt: skip
        if self.now.text != "(":
            self.refuse(self.now.start, f"'{token.text}' needs values, as in {USAGE[token.text]}")
        return self._call(token, depth)

    def _call(self, name: _Token, depth: int) -> Call:
        """The values between a function's parentheses; `now` is the opening one."""
        if FUNCTIONS[name.text] == ("f",):
            return self._file(name)
        self.take()
        numbers: list[float] = []
        indices: list[int | slice] = []
        color, inner = "", None
        for place, kind in enumerate(FUNCTIONS[name.text]):
            if kind == "n?" and self.now.text == ")":
                break
            if place:
                self.expect(",", name.text)
            if kind == "s":
                inner = self.either(depth + 1)
            elif kind == "#":
                color = self._color(name.text)
            elif kind == "i":
                indices = self._indices(name.text)
            elif kind == "nn*":
                numbers = self._corners(name.text)
            else:
                numbers.append(self._number(name.text))
        self.expect(")", name.text)
        return Call(name.text, name.start + 1, tuple(numbers), inner, color, tuple(indices))

    def _number(self, call: str) -> float:
        if self.now.kind != "number":
            self.refuse(self.now.start, f"a number must stand here, as in {USAGE[call]}")
        value = float(self.now.text)
        if not math.isfinite(value):
            self.refuse(self.now.start, "the number is too large; give a finite one")
        self.take()
        return value

    def _corners(self, call: str) -> list[float]:
        start = self.now.start
        numbers = [self._number(call)]
        while self.now.text == ",":
            self.take()
            numbers.append(self._number(call))
        if len(numbers) < 6 or len(numbers) % 2:
            self.refuse(start, f"a polygon has x and y of three corners at least, not {len(numbers)} numbers")
        return numbers

    def _color(self, call: str) -> str:
        if self.now.kind != "color" or len(self.now.text) not in (4, 7):
            self.refuse(self.now.start, f"a colour must stand here, such as #ff0000, as in {USAGE[call]}")
        return self.take().text

    def _indices(self, call: str) -> list[int | slice]:
        found = [self._index(call)]
        while self.now.text == ",":
            self.take()
            found.append(self._index(call))
        return found

    def _index(self, call: str) -> int | slice:
        first = self._whole(call)
        if self.now.text != ":":
            if first is None:
                self.refuse(self.now.start, f"a whole number must stand here, as in {USAGE[call]}")
            return first
        self.take()
        last = self._whole(call)
        if self.now.text != ":":
            return slice(first, last)
        self.take()
        step = self._whole(call)
        if step is not None and step < 1:
            self.refuse(self.now.start, f"the step of indices must be at least 1, not {step}")
        return slice(first, last, step)

    def _whole(self, call: str) -> int | None:
        if self.now.kind != "number":
            return None
        if not re.fullmatch(r"[-+]?\d{1,15}", self.now.text):
            self.refuse(self.now.start, f"a whole number must stand here, as in {USAGE[call]}")
        return int(self.take().text)

    def _file(self, name: _Token) -> Call:
        """`mask(FILE)`: a name in quotes, or all that stands before the closing parenthesis."""
        found = FILE.match(self.text, self.now.start + 1)
        assert found is not None  # the last alternative matches anything
        file = next(group for group in found.groups() if group is not None).strip()
        if not file:
            self.refuse(found.end(), f"a file must stand here, as in {USAGE[name.text]}")
        self.now = self._token(found.end())
        self.expect(")", name.text)
        return Call(name.text, name.start + 1, file=file)
