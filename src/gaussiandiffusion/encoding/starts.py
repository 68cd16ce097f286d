"""Starts, each a function of the image alone: where the splats stand before the first step.

All fill fit parameters (mx, my, log a, b, log d, colours; pixels), see `encoding.fit`.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np

from gaussiandiffusion.encoding.parameters import COLUMNS
from gaussiandiffusion.encoding.settings import EncoderSettings
from gaussiandiffusion.encoding.shares import pixels_each, start_sigmas
from gaussiandiffusion.rendering.cpu.compiler import compiled

F = np.float32
SCALES = (2, 4)  # columns log a and log d


def start_parameters(images: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    """Parameters float32 (N, K, 5 + C) of any start but a template's, of uint8 images (N, C, H, W)."""
    height, width = images.shape[2:]
    if settings.start == "hilbert":
        parameters = _hilbert_splats(images, settings)
    else:
        if settings.start == "grid":
            centres = grid_centres(settings.num_splats, height, width)
            centres = np.broadcast_to(centres, (len(images), *centres.shape))
        else:
            weights = settings.density_floor, settings.density_brightness
            centres = random_centres(images, settings.num_splats, *weights)
        parameters = _round_splats(images, centres, settings)
    parameters[..., COLUMNS:] *= F(pixels_each(settings.num_splats, height, width))
    return parameters


def _hilbert_splats(images: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    """Parameters of splats at the centroids of parts of equal mass, as wide as these, in half the colours there."""
    count, channels, height, width = images.shape
    parameters = np.zeros((count, settings.num_splats, COLUMNS + channels), np.float32)
    areas = np.zeros((count, settings.num_splats))
    floors = settings.density_floor, settings.density_floor * settings.density_black
    weights = (settings.density_gradient, *floors, settings.density_brightness)
    _hilbert_range(images, hilbert_walk(height, width), *map(F, weights), parameters, areas)
    sigmas = start_sigmas(areas, F(settings.init_sigma), settings.num_splats, height, width)
    for column, values in zip(SCALES, sigmas, strict=True):
        parameters[..., column] = -np.log(values)
    return parameters


def _round_splats(images: np.ndarray, centres: np.ndarray, settings: EncoderSettings) -> np.ndarray:
    """Parameters of round splats at centres (N, K, 2), as wide as their share of the canvas, in half its colours."""
    count, channels, height, width = images.shape
    parameters = np.zeros((count, settings.num_splats, COLUMNS + channels), np.float32)
    parameters[..., :2] = centres
    share = np.array(height * width / settings.num_splats)
    sigmas = start_sigmas(share, settings.init_sigma, settings.num_splats, height, width)
    for column, value in zip(SCALES, sigmas, strict=True):
        parameters[..., column] = -np.log(value)
    nearest = np.rint(centres).astype(int)
    rows, columns = nearest[..., 1].clip(0, height - 1), nearest[..., 0].clip(0, width - 1)  # (n, k) each
    colors = images[np.arange(count)[:, None], :, rows, columns]  # (n, k, c)
    parameters[..., COLUMNS:] = colors / 255 / 2 + 0.01
    return parameters


def random_centres(images: np.ndarray, num_splats: int, floor: float, brightness: float) -> np.ndarray:
    """Points (x, y) of uint8 images (N, C, H, W), float32 (N, K, 2), drawn anew for every image.

    The pixel is drawn from the density `floor + brightness * mean over channels`, the place inside it uniformly. What
    they are drawn from is the image's own SHA-256: the same image has the same points in any batch, and two images that
    differ by a single grey level have unrelated ones. That is the point of this start: like images become unlike sets,
    as they do in the published system, a baseline for the starts that keep them alike.

    Source: Coessens & Samal, "GaussianDiffusion: Learning Image Generation Process in GaussianRepresentation Space",
    SP4V workshop at ICCV 2025, whose code draws pixels by brightness.
    """
    count, _, height, width = images.shape
    density = floor + brightness * images.mean(1).reshape(count, -1) / 255  # (n, h w)
    masses = np.cumsum(density, 1)
    uniform = np.stack([_generator(image).random((3, num_splats)) for image in images])  # (n, 3, k)
    chosen = np.stack([np.searchsorted(m, u * m[-1], "right") for m, u in zip(masses, uniform[:, 0], strict=True)])
    rows, columns = np.divmod(chosen.clip(max=height * width - 1), width)  # (n, k) each
    return (np.stack([columns, rows], -1) + uniform[:, 1:].transpose(0, 2, 1) - 0.5).astype(np.float32)


def _generator(image: np.ndarray) -> np.random.Generator:
    """A generator that depends on an image's shape and pixels alone."""
    digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
    return np.random.default_rng(np.frombuffer(digest, "<u4"))


def grid_centres(num_splats: int, height: int, width: int) -> np.ndarray:
    """K points (x, y) in near-square rows over the canvas, in pixels, float32 (K, 2)."""
    rows = max(1, min(num_splats, round(math.sqrt(num_splats * height / width))))
    counts = np.diff(np.linspace(0, num_splats, rows + 1).round().astype(int))
    points = [
        ((i + 0.5) * width / n - 0.5, (row + 0.5) * height / rows - 0.5)
        for row, n in enumerate(counts)
        for i in range(n)
    ]
    return np.array(points, np.float32)


@lru_cache(maxsize=8)
def hilbert_walk(height: int, width: int) -> np.ndarray:
    """Pixels (y, x) of the canvas in the order a Hilbert curve over the enclosing power of two visits them.

    Only the canvas's own pixels are numbered, not the square's, so a narrow picture costs what a square one of as many
    pixels does. A canvas lies at two of the square's edges, along which the curve runs from end to end.

    Source: Hilbert, 1891; the recursion by bits is the one of Warren, "Hacker's Delight", ch. 16, read backwards.
    """
    rows, columns = (part.ravel() for part in np.indices((height, width), np.int32))
    y, x = rows, columns
    index = np.zeros(height * width, np.int64)
    for level in reversed(range((max(height, width) - 1).bit_length())):
        side = 1 << level
        right, down = x >= side, y >= side
        index = 4 * index + (3 * right ^ down)
        x, y = x - side * right, y - side * down
        flip = right & ~down
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(down, x, y), np.where(down, y, x)
    order = index.argsort()
    return np.stack([rows[order], columns[order]], -1)


@compiled
def _hilbert_range(images, walk, gradient, floor, black_floor, brightness, parameters, areas):
    """Cut the density along the walk in K equal parts; each part's centroid becomes a splat.

    Parts are cut inside a pixel where needed, so every one holds the same mass and none is empty.
    """
    count, channels, height, width = images.shape
    splats = parameters.shape[1]
    grey = np.empty((height, width), np.float32)
    density = np.empty((height, width), np.float32)
    for i in range(count):
        for y in range(height):
            for x in range(width):
                value = F(0)
                for c in range(channels):
                    value += F(images[i, c, y, x])
                grey[y, x] = value / F(255 * channels)
        total = 0.0
        for y in range(height):
            for x in range(width):
                gx = (grey[y, min(x + 1, width - 1)] - grey[y, max(x - 1, 0)]) / F(2)
                gy = (grey[min(y + 1, height - 1), x] - grey[max(y - 1, 0), x]) / F(2)
                base = floor if grey[y, x] > 0 else black_floor
                d = base + gradient * F(math.sqrt(gx * gx + gy * gy)) + brightness * grey[y, x]
                density[y, x] = d
                total += d
        share = total / splats
        k, mass, sum_x, sum_y, area = 0, 0.0, 0.0, 0.0, 0.0
        for step in range(walk.shape[0]):
            y, x = walk[step, 0], walk[step, 1]
            left = float(density[y, x])
            whole = left
            while left > 0:
                last = step == walk.shape[0] - 1
                take = left if k == splats - 1 else min(left, share - mass)
                mass += take
                sum_x += take * x
                sum_y += take * y
                area += take / whole
                left -= take
                full = mass >= share * (1 - 1e-9) and k < splats - 1
                if full or (last and left <= 0):
                    centre_x, centre_y = sum_x / mass, sum_y / mass
                    parameters[i, k, 0] = centre_x
                    parameters[i, k, 1] = centre_y
                    areas[i, k] = area
                    row, column = int(centre_y + 0.5), int(centre_x + 0.5)
                    for c in range(channels):
                        parameters[i, k, COLUMNS + c] = F(images[i, c, row, column]) / F(510) + F(0.01)
                    k, mass, sum_x, sum_y, area = k + 1, 0.0, 0.0, 0.0, 0.0
                    if k == splats:
                        break
        # Rounding may leave the last part unfilled; it then repeats its neighbour, unlit.
        for j in range(k, splats):
            areas[i, j] = areas[i, max(k - 1, 0)]
            for column in range(parameters.shape[2]):
                last = parameters[i, max(k - 1, 0), column]
                parameters[i, j, column] = last if column < COLUMNS else F(0.01)
