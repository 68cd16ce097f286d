"""Splats by error: while a picture is fitted, they are taken where they matter least and added where it is still wrong.

A fit begins with a part of the K splats. In a few rounds, spread over its earlier steps, the least important of them
are taken out, and these and some new ones are put where most is wrong, until there are K. The steps that are left find
each its place. A round looks at nothing but the picture and the splats, so a set stays a function of its image.

Sources: the idea of adding by error is that of Zhang et al., "Image-GS", SIGGRAPH 2025, and of Li et al.,
"GaussianImage++", AAAI 2026; that of moving idle splats, of Kheradmand et al., "3D Gaussian Splatting as Markov Chain
Monte Carlo", NeurIPS 2024. Places are chosen otherwise here, along the curve that the start goes by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy import ndarray

from gaussiandiffusion.encoding.importance import leaving_out
from gaussiandiffusion.encoding.parameters import COLUMNS
from gaussiandiffusion.encoding.settings import EncoderSettings
from gaussiandiffusion.encoding.shares import SMALLEST, pixels_each
from gaussiandiffusion.encoding.starts import hilbert_walk
from gaussiandiffusion.rendering.cpu.compiler import compiled

F = np.float32
FAINT = 0.01  # colour of a new splat in a channel that is too bright already: not so dark that it is lost
SMOOTHING = np.array([1, 4, 6, 4, 1], np.float32) / 16  # deviation 1: a single pixel off is no place for a splat


@dataclass(frozen=True)
class Allocation:
    """When splats are moved, and how many.

    Args:
        begin: part of K that a fit begins with.
        first, last: parts of the iterations after which the first and the last round come, which fills up to K.
        apart: steps between two rounds, at least: new splats must settle before they are weighed.
        rounds: at most.
        taken: part of the splats that a round moves.
        width: deviation of a new splat, relative to the root of a splat's share of the canvas.
        frozen: which of the splats that a fit begins with stay as they are, bool (K,); default: none.
        region: how much each pixel's error counts, (h, w); default: all alike.
    """

    begin: float = 0.6
    first: float = 0.1
    last: float = 0.5
    apart: int = 20
    rounds: int = 20
    taken: float = 0.1
    width: float = 0.2
    frozen: Bool[ndarray, " k"] | None = None
    region: Float[ndarray, "h w"] | None = None

    @property
    def still(self) -> Int64[ndarray, " s"]:
        """The frozen splats."""
        return np.flatnonzero(np.zeros(0, bool) if self.frozen is None else self.frozen)

    def begun(self, num_splats: int) -> int:
        """How many splats a fit of K begins with."""
        return max(1, math.ceil(self.begin * num_splats))

    def at(self, iterations: int) -> dict[int, float]:
        """The steps before which a round comes, and for each the part of the missing splats that it adds."""
        if not iterations:
            return {}
        rounds = min(self.rounds, 1 + int((self.last - self.first) * iterations / self.apart))
        places = np.linspace(self.last, self.first, rounds)  # a single one comes last
        steps = sorted({min(math.ceil(place * iterations), iterations - 1) for place in places})
        return {step: 1 / (len(steps) - i) for i, step in enumerate(steps)}


def allocation_of(settings: EncoderSettings) -> Allocation | None:
    """That which settings ask for; none where nothing is fitted, and the start is the set."""
    return Allocation() if settings.allocate == "error" and settings.iterations else None


def reallocate(
    parameters: Float[ndarray, "k f"],
    color_gradients: Float[ndarray, "k c"],
    residual: Float[ndarray, "c h w"],
    *,
    grown: int,
    allocation: Allocation,
    num_splats: int,
    signed: bool,
) -> tuple[Float[ndarray, "g f"], Int64[ndarray, " m"]]:
    """One round.

    Args:
        parameters: of the splats there are.
        color_gradients: of half the sum of squared errors, by their colours.
        residual: what is wrong with the picture: drawn minus wanted.
        grown: how many there are to be then, at least as many.
        num_splats: K in the end, by which a new splat's size goes.
        signed: whether colours may be negative.

    Returns:
        The parameters of all `grown`, and which of them are new.
    """
    count = len(parameters)
    worth = leaving_out(parameters, residual.shape[1:], color_gradients)
    still = allocation.still
    worth[still] = np.inf
    most = min(round(allocation.taken * count), count - len(still))
    taken = np.argsort(worth, kind="stable")[:most]
    new = np.concatenate([np.sort(taken), np.arange(count, grown)])
    whole = np.zeros((grown, parameters.shape[1]), np.float32)
    whole[:count] = parameters
    if len(new):
        error = squares(residual) if allocation.region is None else squares(residual) * allocation.region
        places = worst_places(error, len(new))
        whole[new] = splats_at(places, residual, allocation.width, num_splats=num_splats, signed=signed)
    return whole, new


def splats_at(
    places: Int64[ndarray, "m 2"], residual: Float[ndarray, "c h w"], width: float, *, num_splats: int, signed: bool
) -> Float[ndarray, "m f"]:
    """Small round splats at pixels (y, x), in the colours that are missing there.

    Args:
        width: see `Allocation`.
    """
    channels, height, image_width = residual.shape
    side = math.sqrt(height * image_width / num_splats)
    parameters = np.zeros((len(places), COLUMNS + channels), np.float32)
    rows, columns = places.T
    parameters[:, 0], parameters[:, 1] = columns, rows
    parameters[:, (2, 4)] = -math.log(max(SMALLEST, width * side))
    missing = -residual[:, rows, columns].T  # (m, c)
    colors = missing if signed else np.maximum(missing, 0) + F(FAINT)
    parameters[:, COLUMNS:] = colors * F(pixels_each(num_splats, height, image_width))
    return parameters


def squares(residual: Float[ndarray, "c h w"]) -> Float[ndarray, "h w"]:
    """Squared error of each pixel, smoothed."""
    total = np.square(residual).sum(0)
    for axis in (0, 1):
        wide = np.pad(total, [(2, 2) if i == axis else (0, 0) for i in (0, 1)], "edge")
        parts = [wide.take(range(i, i + total.shape[axis]), axis) * weight for i, weight in enumerate(SMOOTHING)]
        total = np.sum(parts, 0, dtype=np.float32)
    return total


def worst_places(error: Float[ndarray, "h w"], count: int) -> Int64[ndarray, "m 2"]:
    """Pixels (y, x) to put `count` splats at: dense where the error is large, and apart from each other.

    The Hilbert curve through the picture is cut into parts of equal error, as the start cuts it into parts of equal
    weight; each gives its worst pixel. No pixel is given twice, unless its error is more than a part's.
    """
    walk = hilbert_walk(*error.shape)
    along = error[walk[:, 0], walk[:, 1]].astype(np.float64)
    if not along.sum() > 0:
        along[:] = 1  # nothing is wrong: anywhere, evenly
    return walk[_peaks(along, count)].astype(np.int64)


@compiled
def _peaks(weights, count):
    """Cut weights (P,) in `count` parts of equal sum; the place of the largest in each, int64 (count,)."""
    share = weights.sum() / count
    found = np.zeros(count, np.int64)
    part, mass, largest, place = 0, 0.0, -1.0, 0
    for step in range(len(weights)):
        left = weights[step]
        if left > largest:
            largest, place = left, step
        while part < count - 1 and mass + left >= share:
            found[part] = place
            left -= share - mass
            # What is left of this pixel belongs to the next part, which takes it only if it has no other error.
            part, mass, largest, place = part + 1, 0.0, 0.0, step
        mass += left
    found[part:] = place
    return found
