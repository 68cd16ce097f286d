"""`EncoderSettings`: everything that decides which set an image becomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import FOOTPRINT

STARTS = ("hilbert", "grid", "random", "template")
ALLOCATIONS = ("error", "start")
MAX_SPLATS = 100_000
MAX_ITERATIONS = 100_000
MANY = 1000  # from here on, pictures are photographs, grey or not,
ROOM = 4  # if they have so many pixels for every splat
LARGE = 200 * 200  # pixels; on larger pictures of many splats these are allocated by error,
SETTLED = 120  # if there are so many steps: in fewer, splats that are added late do not find their places


@dataclass(frozen=True)
class EncoderSettings:
    """Start and optimiser of the encoder; lengths and rates in pixels of the image.

    Args:
        num_splats: K.
        start: "hilbert" (content-adaptive), "grid", "random" (drawn by brightness, anew for every image), or
            "template" (a shared start, given beside the settings).
        signed: allow negative colours.
        iterations: Adam steps; the learning rates fall along half a cosine over exactly these.
        beta1, beta2, epsilon: Adam's. Low betas make it nearly sign-like, which is what converges in tens of
            steps; a large epsilon (1e-2) limits the steps and keeps like images' sets alike.
        lr_mean, lr_scale, lr_shear, lr_color: rates of the mean, the log-diagonal and off-diagonal of the
            precision's factor, and the colour.
        lr_end: final rate relative to the first.
        pull: part of its way back to the start that a splat's geometry goes each step, scaled like the rates. It holds
            what the picture leaves open where the start has it: dim splats above all.
        tolerance: grey levels by which a pixel may be off at no cost, as in Vapnik's insensitive loss: noise below it
            moves nothing.
        init_sigma: deviation of a starting splat relative to the root of its share of the canvas.
        density_gradient, density_floor, density_brightness: weights of |grad I|, 1 and I in the density that the
            "hilbert" start distributes splats by; "random" leaves the gradient out.
        density_black: factor of the floor where a pixel is black, which without any splat is right already ("hilbert").
        cutoff: footprint in sigmas.
        allocate: "error", where the picture is still wrong while it is fitted, see `allocate`; or "start": all splats
            are the start's.
    """

    num_splats: int = 70
    start: str = "hilbert"
    signed: bool = False
    iterations: int = 40
    beta1: float = 0.664
    beta2: float = 0.82
    epsilon: float = 1e-8
    lr_mean: float = 0.09
    lr_scale: float = 0.037
    lr_shear: float = 0.213
    lr_color: float = 0.138
    lr_end: float = 0.124
    pull: float = 0.0
    tolerance: float = 0.0
    init_sigma: float = 0.328
    density_gradient: float = 0.72
    density_floor: float = 0.025
    density_brightness: float = 1.0
    density_black: float = 1.0
    cutoff: float = FOOTPRINT
    allocate: str = "start"

    def __post_init__(self) -> None:
        if not 1 <= self.num_splats <= MAX_SPLATS:
            raise InputError(f"the number of splats must lie between 1 and {MAX_SPLATS}, not {self.num_splats}")
        if self.start not in STARTS:
            raise InputError(f"unknown start '{self.start}'; choose hilbert, grid, random or template:FILE")
        if not 0 <= self.iterations <= MAX_ITERATIONS:
            raise InputError(f"iterations must lie between 0 and {MAX_ITERATIONS}, not {self.iterations}")
        if self.allocate not in ALLOCATIONS:
            raise InputError(f"unknown allocation '{self.allocate}'; choose error or start")
        if self.allocate == "error" and self.start == "template":
            raise InputError("a template says where splats begin, and each keeps its slot; leave --allocate error out")
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{name} must be a finite number, not {value}")

    def to_dict(self) -> dict[str, Any]:
        """The fields, as headers have them: without the allocation where it is the start's, as before there was one."""
        values = asdict(self)
        if self.allocate == "start":
            del values["allocate"]
        return values


# Found by `python -m benchmarks.tune` on training images of MNIST and CIFAR-10 and on photographs (beta1, beta2,
# lr_mean, lr_scale, lr_shear, lr_color, lr_end, init_sigma, density_gradient, density_floor); keyed by (channels,
# splats, iterations). The last row was begun with that of 5,250 splats and changed by hand, one value after another, by
# the PSNR of four photographs that are not of the Kodak set.
_TUNED: dict[tuple[int, int, int], tuple[float, ...]] = {
    (1, 32, 100): (0.823, 0.789, 0.163, 0.0695, 0.262, 0.195, 0.073, 0.0464, 0.945, 0.00305),
    (1, 48, 40): (0.718, 0.708, 0.133, 0.113, 0.464, 0.44, 0.0755, 0.0325, 0.698, 0.00247),
    (1, 70, 12): (0.491, 0.768, 0.114, 0.123, 0.576, 0.303, 0.471, 0.042, 0.787, 0.00264),
    (1, 70, 16): (0.489, 0.452, 0.0878, 0.163, 0.662, 0.443, 0.0706, 0.0503, 0.448, 0.00403),
    (1, 70, 24): (0.586, 0.526, 0.113, 0.162, 0.574, 0.671, 0.0422, 0.0625, 1.44, 0.021),
    (1, 70, 40): (0.681, 0.658, 0.0833, 0.142, 0.477, 0.657, 0.0378, 0.0477, 0.494, 0.00523),
    (1, 70, 100): (0.811, 0.827, 0.0847, 0.105, 0.511, 0.651, 0.0305, 0.0603, 0.325, 0.00302),
    (1, 70, 300): (0.917, 0.903, 0.0496, 0.0491, 0.139, 0.133, 0.000402, 0.0671, 0.821, 0.013),
    (3, 150, 16): (0.503, 0.602, 0.381, 0.22, 0.282, 0.105, 0.131, 0.397, 0.987, 0.0528),
    (3, 150, 40): (0.679, 0.602, 0.396, 0.224, 0.294, 0.072, 0.063, 0.397, 1.674, 0.1811),
    (3, 150, 120): (0.867, 0.837, 0.325, 0.12, 0.211, 0.0784, 0.0394, 0.391, 6.46, 0.281),
    (3, 200, 40): (0.659, 0.668, 0.236, 0.142, 0.206, 0.076, 0.027, 0.414, 1.481, 0.0865),
    (3, 200, 60): (0.802, 0.735, 0.273, 0.103, 0.226, 0.0524, 0.0796, 0.43, 0.828, 0.0655),
    (3, 200, 120): (0.867, 0.813, 0.268, 0.117, 0.267, 0.0621, 0.04, 0.405, 0.919, 0.0725),
    (3, 500, 12): (0.357, 0.741, 0.0986, 0.062, 0.255, 0.141, 0.239, 0.24, 0.381, 0.126),
    (3, 500, 16): (0.3, 0.945, 0.148, 0.056, 0.247, 0.146, 0.132, 0.421, 0.344, 0.0851),
    (3, 500, 40): (0.624, 0.847, 0.169, 0.14, 0.186, 0.0331, 0.141, 0.201, 0.25, 0.0433),
    (3, 5250, 100): (0.856, 0.707, 0.704, 0.118, 0.188, 0.0359, 0.104, 0.47, 3.11, 0.00824),
    (3, 10000, 800): (0.95, 0.95, 1.4, 0.118, 0.15, 0.0359, 0.02, 0.47, 3.11, 0.00824),
}
# The grid start spends splats on background and needs larger steps.
_GRID: tuple[float, ...] = (0.8, 0.868, 0.420, 0.055, 0.548, 0.081, 0.020, 0.329, 1.0, 0.02)
# Colour pictures on black, such as sprites, lost half of their splats to it; pictures of CIFAR-10 lose nothing by this.
BLACK = 0.05
RANDOM_FLOOR = 0.01  # beside brightness from 0 to 1: one dark pixel in a hundred bright ones; all, if all are dark
# The template start's were searched for a high PSNR at little movement of the slots under one grey level of noise: an
# epsilon that leaves Adam's steps nearly proportional to the gradient, a tolerance, and a pull to the template.
_TEMPLATE_FIELDS = (
    "beta1", "beta2", "epsilon", "lr_mean", "lr_scale", "lr_shear", "lr_color", "lr_end", "pull", "tolerance",
)  # fmt: skip
_TEMPLATE_GREY = (0.297, 0.601, 0.0223, 0.248, 0.0528, 0.213, 0.128, 0.0268, 0.00624, 4.0)
_TEMPLATE_COLOUR = (0.753, 0.851, 0.025, 0.194, 0.04, 0.08, 0.0505, 0.0301, 0.004, 2.5)
# For texture nothing is tolerated and nothing pulls, and steps adapt more.
_TEXTURE: dict[str, Any] = {"epsilon": 0.003, "tolerance": 0.0, "pull": 0.0}
TEXTURE_ITERATIONS = 500
PHOTOGRAPH_ITERATIONS = 800
_DEFAULT_ITERATIONS = {"hilbert": 40, "grid": 250, "random": 40, "template": 200}  # in colour 120, but for the grid
_FIELDS = (
    "beta1", "beta2", "lr_mean", "lr_scale", "lr_shear", "lr_color", "lr_end", "init_sigma",
    "density_gradient", "density_floor",
)  # fmt: skip


def default_settings(
    channels: int,
    *,
    num_splats: int | None = None,
    start: str = "hilbert",
    iterations: int | None = None,
    signed: bool = False,
    cutoff: float = FOOTPRINT,
    pixels: int | None = None,
    texture: bool = False,
    allocate: str | None = None,
) -> EncoderSettings:
    """Settings tuned for the nearest (K, iterations), nearest in ratio; the random start takes over Hilbert's.

    Args:
        channels: 1, 3 or 4.
        num_splats: default 70 for grey, 150 for colour.
        iterations: default by start: hilbert and random 40, grid 250, template 200, but for the grid 120 in colour; of
            texture 500; with allocation by error of many splats, PHOTOGRAPH_ITERATIONS.
        pixels: of the pictures; tells many splats on a photograph, which is assumed without it, from as many on a
            small picture.
        texture: let canonical sets follow the picture grey level by grey level. Slots then move more from picture to
            picture; for data such as cloth, whose likeness is in its grain. Only with the start "template".
        allocate: default: "error" with the start "hilbert" for many splats on large pictures, whose pixels must be
            given, and SETTLED iterations or more; otherwise "start".

    Raises:
        InputError: `texture` with another start.
    """
    if texture and start != "template":
        raise InputError(f"texture is for canonical sets, which begin at a template, not for the start {start}")
    colour = channels > 1
    num_splats = (150 if colour else 70) if num_splats is None else num_splats
    photograph = num_splats >= MANY and (pixels is None or pixels >= ROOM * num_splats)
    if allocate is None:
        large = photograph and pixels is not None and pixels > LARGE
        enough = iterations is None or iterations >= SETTLED
        allocate = "error" if large and enough and start == "hilbert" else "start"
    if iterations is None and allocate == "error" and photograph:
        iterations = PHOTOGRAPH_ITERATIONS
    if iterations is None and texture:
        iterations = TEXTURE_ITERATIONS
    if iterations is None:
        iterations = 120 if colour and start != "grid" else _DEFAULT_ITERATIONS.get(start, 40)
    settings = EncoderSettings(
        num_splats=num_splats,
        start=start,
        signed=signed,
        iterations=iterations,
        density_brightness=0.0 if colour else 1.0,
        density_black=BLACK if colour and start == "hilbert" else 1.0,
        cutoff=cutoff,
        allocate=allocate,
    )
    if start == "template":
        learned = _TEMPLATE_COLOUR if colour else _TEMPLATE_GREY
        tuned: dict[str, Any] = dict(zip(_TEMPLATE_FIELDS, learned, strict=True))
        tuned |= _TEXTURE if texture else {}
        return replace(settings, **tuned)
    values = _GRID
    if start != "grid":
        if photograph:
            candidates = [key for key in _TUNED if key[1] >= MANY]
        else:
            candidates = [key for key in _TUNED if key[1] < MANY and (key[0] > 1) == colour]
        values = _TUNED[min(candidates, key=lambda key: _distance(key, num_splats, max(1, iterations)))]
    tuned = dict(zip(_FIELDS, values, strict=True))
    if start == "random":
        tuned |= {"density_gradient": 0.0, "density_floor": RANDOM_FLOOR, "density_brightness": 1.0}
    return replace(settings, **tuned)


# (factor of the iterations, density_gradient, density_floor, init_sigma) to try in turn on images that missed a target
# PSNR; None keeps the tuned start. That start can leave a faint part of a picture without any splat in reach, which no
# number of steps mends: the later ones spread splats wider and more evenly.
_HARDER = ((3, None), (20, (3.0, 0.2, 0.33)), (20, (10.0, 0.2, 0.2)), (40, (10.0, 0.05, 0.2)), (40, (3.0, 0.05, 0.6)))


def harder(settings: EncoderSettings, channels: int, pixels: int | None = None) -> Iterator[EncoderSettings]:
    """Settings to try in turn on images that missed a target PSNR: longer, then longest from other starts.

    A template's sets stay its sets: they are only fitted longer. Random ones stay random, and spread more evenly.
    """
    for factor, start in _HARDER:
        iterations = min(factor * settings.iterations, MAX_ITERATIONS)
        if settings.start == "template":
            yield replace(settings, iterations=iterations)
            continue
        tuned = default_settings(
            channels,
            num_splats=settings.num_splats,
            start="random" if settings.start == "random" else "hilbert",
            iterations=iterations,
            signed=settings.signed,
            cutoff=settings.cutoff,
            pixels=pixels,
            allocate=settings.allocate,
        )
        if start is not None:
            gradient, floor, sigma = start
            tuned = replace(tuned, density_gradient=gradient, density_floor=floor, init_sigma=sigma)
        yield tuned


def _distance(key: tuple[int, int, int], num_splats: int, iterations: int) -> float:
    """Rates depend on the number of steps more than on that of splats."""
    return abs(math.log(key[1] / num_splats)) + 4 * abs(math.log(key[2] / iterations))
