"""Draw a folder of icons to try things on: five kinds, RGBA with soft edges, always the same ones.

Run: python examples/draw_icons.py icons            (200 icons of 64x64, in icons/KIND/0.png ...)
     python examples/draw_icons.py icons --num 50 --size 32
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
FINER = 4  # drawn so many times larger, then reduced: soft edges


def coin(draw: ImageDraw.ImageDraw, shape: np.random.Generator) -> None:
    """A disc with a hole."""
    radius = shape.uniform(0.32, 0.42)
    hole = radius * shape.uniform(0.2, 0.5)
    draw.ellipse(_box((0.5, 0.5), radius), fill=255)
    draw.ellipse(_box((0.5, 0.5), hole), fill=0)


def gem(draw: ImageDraw.ImageDraw, shape: np.random.Generator) -> None:
    """A cut stone: flat above, pointed below."""
    half, top, girdle = shape.uniform(0.3, 0.4), shape.uniform(0.16, 0.24), shape.uniform(0.36, 0.46)
    table = half * shape.uniform(0.5, 0.75)
    draw.polygon(
        _scaled([(0.5 - table, top), (0.5 + table, top), (0.5 + half, girdle), (0.5, 0.88), (0.5 - half, girdle)]),
        fill=255,
    )


def heart(draw: ImageDraw.ImageDraw, shape: np.random.Generator) -> None:
    """A heart, broad or slim."""
    width, height = shape.uniform(0.019, 0.026), shape.uniform(0.019, 0.025)
    angles = np.linspace(0, 2 * math.pi, 90)
    x = 16 * np.sin(angles) ** 3
    y = 13 * np.cos(angles) - 5 * np.cos(2 * angles) - 2 * np.cos(3 * angles) - np.cos(4 * angles)
    draw.polygon(_scaled(list(zip(0.5 + width * x, 0.47 - height * y, strict=True))), fill=255)


def potion(draw: ImageDraw.ImageDraw, shape: np.random.Generator) -> None:
    """A round flask with a neck."""
    radius, neck = shape.uniform(0.22, 0.31), shape.uniform(0.07, 0.11)
    draw.ellipse(_box((0.5, 0.9 - radius), radius), fill=255)
    draw.rectangle(_flat(_scaled([(0.5 - neck, 0.14), (0.5 + neck, 0.9 - radius)])), fill=255)
    draw.rectangle(_flat(_scaled([(0.46 - neck, 0.1), (0.54 + neck, 0.17)])), fill=255)


def star(draw: ImageDraw.ImageDraw, shape: np.random.Generator) -> None:
    """A star with five or six points."""
    points, outer = int(shape.integers(5, 7)), shape.uniform(0.34, 0.44)
    inner = outer * shape.uniform(0.4, 0.6)
    corners = [
        (0.5 + r * math.sin(math.pi * i / points), 0.5 - r * math.cos(math.pi * i / points))
        for i in range(2 * points)
        for r in ((outer, inner)[i % 2],)
    ]
    draw.polygon(_scaled(corners), fill=255)


KINDS: dict[str, Callable[[ImageDraw.ImageDraw, np.random.Generator], None]] = {
    "coin": coin,
    "gem": gem,
    "heart": heart,
    "potion": potion,
    "star": star,
}
CANVAS = 256 * FINER  # pixels a side that shapes are drawn at


def icon(kind: str, number: int, size: int) -> Image.Image:
    """One icon: a shape filled with a gradient between two colours, a darker rim, and a light from above left."""
    random = np.random.default_rng([sorted(KINDS).index(kind), number])
    mask = Image.new("L", (CANVAS, CANVAS))
    KINDS[kind](ImageDraw.Draw(mask), random)
    fine = np.asarray(mask.resize((size * FINER, size * FINER), Image.Resampling.BOX), np.float32) / 255
    top, bottom = _hue(random.uniform(0, 1)), _hue(random.uniform(0, 1)) * 0.6
    down = np.linspace(0, 1, len(fine))[:, None, None]
    colours = (1 - down) * top + down * bottom
    across = np.linspace(0, 1, len(fine))
    light = np.exp(-((across - 0.36) ** 2 + (across[:, None] - 0.36) ** 2) / 0.02)[..., None]
    colours = colours + 0.5 * light * (1 - colours)
    pixels = np.concatenate([colours, np.ones_like(light)], -1) * fine[..., None]  # colours times alpha
    small = pixels.reshape(size, FINER, size, FINER, 4).mean((1, 3))
    alpha = small[..., 3:]
    shown = np.concatenate([small[..., :3] / np.maximum(alpha, 1e-6), alpha], -1)
    return Image.fromarray(np.rint(255 * shown.clip(0, 1)).astype(np.uint8), "RGBA")


def _hue(turn: float) -> np.ndarray:
    """A strong colour at so much of the way round the colour wheel."""
    return 0.55 + 0.45 * np.cos(2 * math.pi * (turn - np.array([0, 1 / 3, 2 / 3])))


def _scaled(points: list[Point]) -> list[Point]:
    return [(x * CANVAS, y * CANVAS) for x, y in points]


def _flat(points: list[Point]) -> tuple[float, ...]:
    return tuple(value for point in points for value in point)


def _box(centre: Point, radius: float) -> tuple[float, ...]:
    (x, y) = centre
    return _flat(_scaled([(x - radius, y - radius), (x + radius, y + radius)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--num", type=int, default=200, help="icons in all")
    parser.add_argument("--size", type=int, default=64, help="pixels a side")
    arguments = parser.parse_args()
    kinds = sorted(KINDS)
    for i in range(arguments.num):
        number, place = divmod(i, len(kinds))
        path = arguments.out / kinds[place] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        icon(kinds[place], number, arguments.size).save(path)


if __name__ == "__main__":
    main()
