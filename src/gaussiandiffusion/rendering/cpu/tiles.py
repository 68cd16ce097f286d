"""Spatial binning: a large canvas as tiles, each drawn by the kernel with the splats that reach it.

A tile's pixels, Gaussians and residual stay in the processor's cache, tiles are drawn in parallel, and the cost
follows the summed footprints. Small canvases are one tile.
"""

from __future__ import annotations

import math

import numpy as np

from gaussiandiffusion.rendering.cpu.compiler import jit
from gaussiandiffusion.rendering.cpu.footprints import COLUMNS, FAR

TILE = 64  # pixels of a side
WHOLE = 128  # pixels: a canvas of no longer side is one tile

F = np.float32


def tile_grid(height: int, width: int) -> np.ndarray:
    """Top, left, height and width of every tile of a canvas, int64 (T, 4), row by row."""
    side = max(height, width) if max(height, width) <= WHOLE else TILE
    return np.array(
        [
            (top, left, min(side, height - top), min(side, width - left))
            for top in range(0, height, side)
            for left in range(0, width, side)
        ]
    )


@jit
def bin_splats(geometry, splats, tiles, cutoff):
    """Which splats reach which tile.

    Args:
        geometry: (5, K) in pixels of the canvas.
        splats: how many of the K there are.
        tiles: of `tile_grid`.

    Returns:
        `starts` (T + 1,) and `members`, int64: tile t has the splats members[starts[t] : starts[t + 1]], ascending.
    """
    count = tiles.shape[0]
    starts = np.zeros(count + 1, np.int64)
    if count == 1:
        starts[1] = splats
        return starts, np.arange(splats)
    side = max(tiles[0, 2], tiles[0, 3])  # the first tile is whole in at least one direction
    across = 1
    while across < count and tiles[across, 0] == 0:
        across += 1
    down = count // across
    ranges = np.empty((splats, 4), np.int64)
    for k in range(splats):
        a, b, d = geometry[2, k], geometry[3, k], geometry[4, k]
        reach = cutoff / (a * d)
        reach_x = min(reach * F(math.sqrt(b * b + d * d)), F(FAR))
        reach_y = min(reach * a, F(FAR))
        ranges[k, 0] = max(0, math.floor((geometry[1, k] - reach_y) / side))
        ranges[k, 1] = min(down - 1, math.floor((geometry[1, k] + reach_y) / side))
        ranges[k, 2] = max(0, math.floor((geometry[0, k] - reach_x) / side))
        ranges[k, 3] = min(across - 1, math.floor((geometry[0, k] + reach_x) / side))
        for row in range(ranges[k, 0], ranges[k, 1] + 1):
            for column in range(ranges[k, 2], ranges[k, 3] + 1):
                starts[row * across + column + 1] += 1
    for t in range(count):
        starts[t + 1] += starts[t]
    members = np.empty(starts[count], np.int64)
    filled = starts[:count].copy()
    for k in range(splats):
        for row in range(ranges[k, 0], ranges[k, 1] + 1):
            for column in range(ranges[k, 2], ranges[k, 3] + 1):
                t = row * across + column
                members[filled[t]] = k
                filled[t] += 1
    return starts, members


@jit
def gather(geometry, colors, members, tile, local_geometry, local_colors):
    """Copy a tile's splats into its own pixel coordinates."""
    for i in range(members.shape[0]):
        k = members[i]
        local_geometry[0, i] = geometry[0, k] - F(tile[1])
        local_geometry[1, i] = geometry[1, k] - F(tile[0])
        for j in range(2, COLUMNS):
            local_geometry[j, i] = geometry[j, k]
        for c in range(colors.shape[0]):
            local_colors[c, i] = colors[c, k]


@jit
def collect(parts, members, whole):
    """Add up what each tile found of each splat: parts (N, F, P) into whole (N, F, K), in the tiles' order."""
    for i in range(parts.shape[0]):
        for j in range(parts.shape[1]):
            for p in range(members.shape[0]):
                whole[i, j, members[p]] += parts[i, j, p]
