"""SVG's words for maps, lengths and colours, as numbers."""

from __future__ import annotations

import math
import re

from PIL import ImageColor

Matrix = tuple[float, float, float, float, float, float]  # (a, b, c, d, e, f): x' = a x + c y + e, y' = b x + d y + f

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(NUMBER)
_STEP = re.compile(r"\s*,?\s*(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^()]*)\)\s*")


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """The map that does `inner` first."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return (a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f)


def parse_transform(text: str) -> Matrix:
    """The map that a `transform` attribute says.

    Raises:
        ValueError: it says none.
    """
    result, position = IDENTITY, 0
    text = text.strip()
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise ValueError(f"holds what is no transform: {text[position : position + 40]!r}")
        result = compose(result, _step(found[1], parse_numbers(found[2])))
        position = found.end()
    return result


def _step(name: str, values: list[float]) -> Matrix:
    count = len(values)
    if name == "matrix" and count == 6:
        a, b, c, d, e, f = values
        return a, b, c, d, e, f
    if name == "translate" and count in (1, 2):
        return 1.0, 0.0, 0.0, 1.0, values[0], values[1] if count == 2 else 0.0
    if name == "scale" and count in (1, 2):
        return values[0], 0.0, 0.0, values[-1], 0.0, 0.0
    if name == "rotate" and count in (1, 3):
        cos, sin = math.cos(math.radians(values[0])), math.sin(math.radians(values[0]))
        x, y = values[1:] if count == 3 else (0.0, 0.0)
        return cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
    if name in ("skewX", "skewY") and count == 1:
        slope = math.tan(math.radians(values[0]))
        return (1.0, 0.0, slope, 1.0, 0.0, 0.0) if name == "skewX" else (1.0, slope, 0.0, 1.0, 0.0, 0.0)
    raise ValueError(f"holds what is no transform: {name} of {count} numbers")


def parse_numbers(text: str) -> list[float]:
    """Finite numbers with commas or spaces between them; raises ValueError for anything else."""
    if re.sub(r"[\s,]", "", _NUMBERS.sub("", text)):
        raise ValueError(f"holds what are no numbers: {text!r:.40}")
    values = [float(word) for word in _NUMBERS.findall(text)]
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"holds numbers beyond all bounds: {text!r:.40}")
    return values


def parse_length(text: str) -> float:
    """A length in pixels, "28" or "28px"; raises ValueError for anything else."""
    return _one_number(text.strip().removesuffix("px"))


def parse_color(text: str) -> tuple[float, float, float]:
    """Red, green and blue in [0, 1] of a colour by name, `#rgb`, `#rrggbb`, `rgb()` or `hsl()`.

    Raises:
        ValueError: it is none of these, or has an alpha below 1.
    """
    try:
        red, green, blue, *alpha = ImageColor.getrgb(text.strip())
    except ValueError:
        raise ValueError(f"holds a fill that is no plain colour, {text!r:.40}; give it one, such as #c86414") from None
    if alpha and alpha[0] != 255:
        raise ValueError(f"holds a transparent fill, {text!r:.40}")
    return red / 255, green / 255, blue / 255


def parse_share(text: str) -> float:
    """An opacity in [0, 1], as a number or in per cent; raises ValueError for anything else."""
    text = text.strip()
    value = _one_number(text.removesuffix("%"))
    return min(1.0, max(0.0, value / 100 if text.endswith("%") else value))


def _one_number(text: str) -> float:
    values = parse_numbers(text)
    if len(values) != 1:
        raise ValueError(f"holds what is no single number: {text!r:.40}")
    return values[0]
