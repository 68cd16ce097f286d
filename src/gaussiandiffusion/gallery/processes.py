"""What diffusion does to sets, as functions of time: noise is added, and taken away again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.diffusion import Scheduler, prediction_of
from gaussiandiffusion.diffusion.schedulers import coefficients
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.ground.seeds import noise_for
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import PixelRepresentation, Representation
from gaussiandiffusion.representation.interpolation import between

Shown = Callable[[float], Any]  # time in [0, 1] -> what a representation draws


@dataclass(frozen=True, eq=False)
class Path:
    """Latents at some times, and straight ways between.

    Attributes:
        times: rising.
        latents: of N samples at each.
    """

    times: Sequence[float]
    latents: Sequence[Float[Tensor, "n ..."]]

    def at(self, time: float) -> Float[Tensor, "n ..."]:
        """At any time; before the first and after the last, those."""
        after = bisect_right(self.times, time)
        if after == 0 or after == len(self.times):
            return self.latents[min(after, len(self.times) - 1)]
        start, end = self.times[after - 1 : after + 1]
        return torch.lerp(self.latents[after - 1], self.latents[after], (time - start) / (end - start))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The way of samples from noise to data.

    Attributes:
        noisy: the samples.
        clean: what they would become by the network's estimate, from the first step on.
        representation: of the latents.
    """

    noisy: Path
    clean: Path
    representation: Representation[Any]

    def shown(self, path: Path) -> Shown:
        return lambda time: self.representation.from_latent(path.at(time))

    @property
    def data(self) -> Float[Tensor, "n ..."]:
        """Where it ends."""
        return self.noisy.latents[0]


def trajectory(pipeline: GaussianDiffusion, count: int, **request: Any) -> Trajectory:
    """Generate samples, and keep the way to them.

    Args:
        count: N >= 1.
        request: as `GaussianDiffusion.stream`.

    Raises:
        InputError: a request that the model cannot take.
    """
    noisy: dict[int, list[tuple[float, Tensor]]] = {}
    clean: dict[int, list[tuple[float, Tensor]]] = {}
    level = 1.0  # of the state before, at which the network was asked
    for state in pipeline.stream(count, **request):
        noisy.setdefault(state.step, []).append((state.time, state.state.latent[: state.count]))
        if state.step:
            clean.setdefault(state.step, []).append((level, state.state.clean[: state.count]))
        level = state.time
    last = max(noisy)
    clean[last + 1] = noisy[last]
    return Trajectory(_path(noisy), _path(clean), pipeline.representation)


def _path(steps: dict[int, list[tuple[float, Tensor]]]) -> Path:
    """Of the states of each step, chunk by chunk; of steps that lead to the same time the last."""
    at = {parts[0][0]: torch.cat([latent for _, latent in parts]) for _, parts in sorted(steps.items())}
    times = sorted(at)
    return Path(times, [at[time] for time in times])


@dataclass(frozen=True, eq=False)
class Noising:
    """Clean latents on their way to noise, as a model's training goes.

    Attributes:
        clean, noise: latents of N samples.
        scheduler: knows the shares of signal and noise at each time.
    """

    clean: Float[Tensor, "n ..."]
    noise: Float[Tensor, "n ..."]
    scheduler: Scheduler

    @classmethod
    def of(cls, clean: Float[Tensor, "n ..."], scheduler: Scheduler, seed: int) -> Noising:
        """With the noise that sample i of a seed begins at."""
        return cls(clean, noise_for(seed, 0, len(clean), clean.shape[1:]).to(clean.device), scheduler)

    def at(self, time: float) -> Float[Tensor, "n ..."]:
        last = 1 - 1 / self.scheduler.config["num_train_timesteps"]  # of a discrete process
        signal, sigma = coefficients(
            self.scheduler, time if prediction_of(self.scheduler) == "flow" else min(time, last)
        )
        return signal * self.clean + sigma * self.noise


def pixel_noising(
    images: UInt8[ndarray, "n c h w"], scheduler: Scheduler, seed: int
) -> tuple[Noising, Representation[Any]]:
    """The same process of pixels, in [-1, 1]; and what draws it."""
    representation = PixelRepresentation(images.shape[2], images.shape[3], images.shape[1])
    return Noising.of(representation.to_latent(images), scheduler, seed), representation


def pictures_of(representation: Representation[Any], latent: Float[Tensor, "n ..."]) -> UInt8[ndarray, "n c h w"]:
    """What clean latents show, on their canvas."""
    pixels: ndarray = to_uint8(representation.draw(representation.from_latent(latent))).numpy()
    return pixels


def interpolation(representation: Representation[Any], latent: Float[Tensor, "n ..."]) -> Shown:
    """From the sets of the first half to those of the second, splat by splat; see `between`.

    Args:
        latent: clean ones, of an even number of sets.

    Raises:
        InputError: a model of pixels.
    """
    splats = representation.splats_of(representation.from_latent(latent))
    if splats is None:
        raise InputError("a model of pixels has nothing between two pictures; take a model of splats, such as mnist")
    first, second = splats[: len(splats) // 2], splats[len(splats) // 2 :]
    return lambda time: between(first, second, torch.full((len(first),), time))


def cross_fade(images: UInt8[ndarray, "n c h w"]) -> tuple[Shown, Representation[Any]]:
    """The same of pixels: one picture fades into another; and what draws it."""
    pixels = torch.from_numpy(images).float() / 255
    first, second = pixels[: len(pixels) // 2], pixels[len(pixels) // 2 :]
    representation = PixelRepresentation(images.shape[2], images.shape[3], images.shape[1])
    return (lambda time: torch.lerp(first, second, time)), representation
