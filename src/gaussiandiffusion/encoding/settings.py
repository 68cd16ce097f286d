"""`EncoderSettings`: everything that decides which set an image becomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from gaussiandiffusion.errors import InputError

MAX_SPLATS = 100_000
MANY = 1000  # from here on, pictures are photographs, grey or not


@dataclass(frozen=True)
class EncoderSettings:
    """Start and optimiser of the encoder; lengths and rates in pixels of the image.

    Args:
        num_splats: K.
        start: "hilbert" (content-adaptive), "grid", or "template" (a shared start, given beside the settings).
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
            "hilbert" start distributes splats by.
        cutoff: footprint in sigmas.
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
    cutoff: float = 3.5

    def __post_init__(self) -> None:
        if not 1 <= self.num_splats <= MAX_SPLATS:
            raise InputError(f"the number of splats must lie between 1 and {MAX_SPLATS}, not {self.num_splats}")
        if self.start not in ("hilbert", "grid", "template"):
            raise InputError(f"unknown start '{self.start}'; choose hilbert, grid or template:FILE")
        if self.iterations < 0:
            raise InputError(f"iterations must be >= 0, not {self.iterations}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


# Found by `python -m benchmarks.tune` on training images of MNIST and CIFAR-10 and on photographs (beta1, beta2, lr_mean,
# lr_scale, lr_shear, lr_color, lr_end, init_sigma, density_gradient, density_floor); keyed by (channels, splats,
# iterations).
_TUNED: dict[tuple[int, int, int], tuple[float, ...]] = {
    (1, 32, 40): (0.709, 0.643, 0.378, 0.134, 0.131, 0.058, 0.21, 0.453, 1.116, 0.0076),
    (1, 32, 100): (0.709, 0.817, 0.208, 0.097, 0.2, 0.113, 0.033, 0.27, 1.625, 0.0023),
    (1, 32, 300): (0.751, 0.851, 0.153, 0.076, 0.438, 0.072, 0.038, 0.336, 1.206, 0.0018),
    (1, 48, 16): (0.474, 0.664, 0.205, 0.088, 0.252, 0.244, 0.181, 0.21, 1.001, 0.0079),
    (1, 48, 40): (0.673, 0.826, 0.242, 0.05, 0.386, 0.132, 0.144, 0.286, 0.947, 0.0178),
    (1, 48, 100): (0.763, 0.834, 0.101, 0.066, 0.102, 0.217, 0.029, 0.343, 0.782, 0.0207),
    (1, 48, 300): (0.836, 0.929, 0.066, 0.066, 0.129, 0.112, 0.019, 0.297, 0.496, 0.0207),
    (1, 70, 16): (0.489, 0.452, 0.0878, 0.163, 0.662, 0.443, 0.0706, 0.0503, 0.448, 0.00403),
    (1, 70, 24): (0.586, 0.526, 0.113, 0.162, 0.574, 0.671, 0.0422, 0.0625, 1.44, 0.021),
    (1, 70, 40): (0.681, 0.658, 0.0833, 0.142, 0.477, 0.657, 0.0378, 0.0477, 0.494, 0.00523),
    (1, 70, 100): (0.811, 0.827, 0.0847, 0.105, 0.511, 0.651, 0.0305, 0.0603, 0.325, 0.00302),
    (1, 70, 300): (0.917, 0.903, 0.0496, 0.0491, 0.139, 0.133, 0.000402, 0.0671, 0.821, 0.013),
    (3, 150, 16): (0.503, 0.602, 0.381, 0.22, 0.282, 0.105, 0.131, 0.397, 0.987, 0.0528),
    (3, 150, 40): (0.679, 0.602, 0.396, 0.224, 0.294, 0.072, 0.063, 0.397, 1.674, 0.1811),
    (3, 150, 120): (0.867, 0.837, 0.325, 0.12, 0.211, 0.0784, 0.0394, 0.391, 6.46, 0.281),
    (3, 150, 400): (0.757, 0.602, 0.51, 0.224, 0.294, 0.052, 0.0069, 0.31, 4.765, 0.14),
    (3, 200, 40): (0.659, 0.668, 0.236, 0.142, 0.206, 0.076, 0.027, 0.414, 1.481, 0.0865),
    (3, 200, 60): (0.802, 0.735, 0.273, 0.103, 0.226, 0.0524, 0.0796, 0.43, 0.828, 0.0655),
    (3, 200, 120): (0.867, 0.813, 0.268, 0.117, 0.267, 0.0621, 0.04, 0.405, 0.919, 0.0725),
    (3, 200, 400): (0.78, 0.668, 0.289, 0.142, 0.215, 0.033, 0.027, 0.356, 1.327, 0.0865),
    (3, 500, 12): (0.357, 0.741, 0.0986, 0.062, 0.255, 0.141, 0.239, 0.24, 0.381, 0.126),
    (3, 500, 16): (0.3, 0.945, 0.148, 0.056, 0.247, 0.146, 0.132, 0.421, 0.344, 0.0851),
    (3, 500, 40): (0.624, 0.847, 0.169, 0.14, 0.186, 0.0331, 0.141, 0.201, 0.25, 0.0433),
    (3, 500, 120): (0.3, 0.945, 0.234, 0.118, 0.374, 0.039, 0.027, 0.353, 0.523, 0.0506),
    (3, 500, 400): (0.3, 0.945, 0.189, 0.118, 0.39, 0.027, 0.027, 0.323, 0.461, 0.0506),
}
# The grid start spends splats on background and needs larger steps.
_GRID = (0.8, 0.868, 0.420, 0.055, 0.548, 0.081, 0.020, 0.329, 1.0, 0.02)
# The template start's were searched for a high PSNR at little movement of the slots under one grey level of noise: an
# epsilon that leaves Adam's steps nearly proportional to the gradient, a tolerance, and a pull to the template.
_TEMPLATE: dict[str, float] = {
    "beta1": 0.297,
    "beta2": 0.601,
    "epsilon": 0.0223,
    "lr_mean": 0.248,
    "lr_scale": 0.0528,
    "lr_shear": 0.213,
    "lr_color": 0.128,
    "lr_end": 0.0268,
    "pull": 0.00624,
    "tolerance": 4.0,
}
_DEFAULT_ITERATIONS = {"hilbert": 40, "grid": 250, "template": 200}
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
    cutoff: float = 3.5,
) -> EncoderSettings:
    """Settings tuned for the nearest (K, iterations), nearest in ratio.

    Args:
        channels: 1, 3 or 4.
        num_splats: default 70 for grey, 150 for colour.
        iterations: default by start: hilbert 40 (colour 120), grid 250, template 200.
    """
    colour = channels > 1
    num_splats = (150 if colour else 70) if num_splats is None else num_splats
    if iterations is None:
        iterations = 120 if colour and start == "hilbert" else _DEFAULT_ITERATIONS.get(start, 40)
    settings = EncoderSettings(
        num_splats=num_splats,
        start=start,
        signed=signed,
        iterations=iterations,
        density_brightness=0.0 if colour else 1.0,
        cutoff=cutoff,
    )
    if start == "template":
        return replace(settings, **_TEMPLATE)
    values = _GRID
    if start == "hilbert":
        candidates = [key for key in _TUNED if (key[0] > 1) == colour or key[1] >= MANY]
        values = _TUNED[min(candidates, key=lambda key: _distance(key, num_splats, max(1, iterations)))]
    tuned: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
    return replace(settings, **tuned)


def harder(settings: EncoderSettings, channels: int) -> Iterator[EncoderSettings]:
    """Settings to try in turn on images that missed a target PSNR: longer, then longest from other starts.

    A template's sets stay its sets: they are only fitted longer.
    """
    for factor in (3, 12):
        iterations = factor * settings.iterations
        if settings.start == "template":
            yield replace(settings, iterations=iterations)
        else:
            yield _retuned(settings, channels, settings.start, iterations)
    if settings.start != "template":
        for start in ("hilbert", "grid"):
            yield _retuned(settings, channels, start, 50 * settings.iterations)


def _retuned(settings: EncoderSettings, channels: int, start: str, iterations: int) -> EncoderSettings:
    return default_settings(
        channels,
        num_splats=settings.num_splats,
        start=start,
        iterations=iterations,
        signed=settings.signed,
        cutoff=settings.cutoff,
    )


def _distance(key: tuple[int, int, int], num_splats: int, iterations: int) -> float:
    return 2 * abs(math.log(key[1] / num_splats)) + abs(math.log(key[2] / iterations))
