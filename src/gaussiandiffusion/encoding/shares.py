"""A splat's share of the canvas, by which its sigmas at the start and the fit's rates are measured."""

from __future__ import annotations

import numpy as np

COARSE = 9.0  # pixels; rates were searched for on shares no wider, those of photographs among them
SMALLEST = 0.6  # pixels, of a starting sigma
BOUND = 4.0  # pixels that one may have however small the share
WIDE = 0.33  # sides of the share: neighbours then meet at 1.5 sigmas


def share_sides(areas: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of shares of a canvas: squares, or what is left of them where the canvas is narrower.

    Args:
        areas: of the shares, pixels.
    """
    square = np.sqrt(areas)
    across = np.minimum(square, min(height, width))
    along = np.where(across < square, areas / np.maximum(across, 1), square)
    return (along, across) if width > height else (across, along)


def coarseness(num_splats: int, height: int, width: int) -> tuple[float, float]:
    """How many times wider, and higher, a mean share is than `COARSE`; at least 1.

    Rates in pixels must grow with it: splats that stand far apart have far to go.
    """
    sides = share_sides(np.array(height * width / num_splats), height, width)
    across, down = (max(1.0, float(side) / COARSE) for side in sides)
    return across, down


def pixels_each(num_splats: int, height: int, width: int) -> float:
    """Pixels a splat has to itself; at most 1.

    Where splats outnumber pixels, all that share one light it together and move at once: with this factor on colours
    and rates, their sum starts and moves as a single splat would.
    """
    return min(1.0, height * width / num_splats)


def start_sigmas(
    areas: np.ndarray, init: float | np.floating, num_splats: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sigmas along x and y of starting splats, pixels.

    Args:
        areas: of their shares of the canvas, pixels.
        init: sigma in sides of the share. On coarse shares it is widened to `WIDE`, for what no splat reaches, none
            fits; and to the whole side where the share goes right across the canvas.
    """
    found = []
    for side, factor, whole in zip(
        share_sides(areas, height, width), coarseness(num_splats, height, width), (width, height), strict=True
    ):
        widened = np.where((side >= whole) & (side * side < areas), 1.0, max(init, WIDE * (1 - 1 / factor)))
        found.append((widened * side).clip(SMALLEST, np.maximum(BOUND, side)))
    return found[0], found[1]
