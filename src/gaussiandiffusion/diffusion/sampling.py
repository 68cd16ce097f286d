"""Sampling as an iterator over states: whoever wants samples exhausts it, whoever wants to watch looks on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion.denoiser import Denoiser
from gaussiandiffusion.diffusion.schedulers import Scheduler, begin_of, clean_estimate, output_for, times_of
from gaussiandiffusion.ground.errors import InputError

Project = Callable[[Float[Tensor, "n ..."], float], Float[Tensor, "n ..."]]
Steer = Callable[[Float[Tensor, "n ..."], float], Float[Tensor, "n ..."]]


@dataclass(frozen=True, eq=False)
class State:
    """Where a batch stands after a step of the sampler.

    Attributes:
        step: steps done; 0 at the start.
        steps: in all.
        time: share of noise left in `latent`, 1 (noise) to 0 (data).
        latent: the noisy latents.
    """

    step: int
    steps: int
    time: float
    latent: Float[Tensor, "n ..."]
    _estimate: Callable[[], Tensor] | None = None

    @cached_property
    def clean(self) -> Float[Tensor, "n ..."]:
        """The clean latents that the last step was headed for; at the start, before any, the noisy ones."""
        return self.latent if self._estimate is None else self._estimate()


def sample(
    denoiser: Callable[[Tensor, float], Tensor] | Denoiser,
    scheduler: Scheduler,
    latent: Float[Tensor, "n ..."],
    *,
    start: float = 1.0,
    project: Project | None = None,
    steer: Steer | None = None,
    eta: float = 0.0,
    generators: Sequence[torch.Generator] | None = None,
) -> Iterator[State]:
    """Lead noise to data; the first state is the start itself.

    Args:
        denoiser: (latent, timestep) -> prediction.
        scheduler: of diffusers or ours, as `prepared` gives it; used up by one run, since multi-step solvers remember
            earlier steps.
        latent: standard normal noise; from a lower `start`, latents with that share of noise.
        start: time to begin at; the first that the scheduler knows at or below it is taken, see `times_of`.
        project: (latent, time) -> latent, applied to every state: keeps what is to stay as it was.
        steer: (clean estimate, time) -> clean estimate, applied to every one before the step that is headed for it:
            leads the samples somewhere.
        eta: share of fresh noise in DDIM, 0 to 1.
        generators: one each, for samplers that draw noise.

    Raises:
        InputError: eta with a scheduler that has none, or a start below all its times.
    """
    times, begin = times_of(scheduler), begin_of(scheduler, start)
    if begin == 0:
        latent = latent * getattr(scheduler, "init_noise_sigma", 1.0)
    elif hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    extra = _step_arguments(scheduler, generators, eta)
    scale = getattr(scheduler, "scale_model_input", None)
    steps = len(times) - begin
    latent = latent if project is None else project(latent, times[begin])
    yield State(0, steps, times[begin], latent)
    for step, timestep in enumerate(scheduler.timesteps[begin:], 1):
        # 1. predict
        scaled = scale(latent, timestep) if scale else latent
        prediction = denoiser(scaled, timestep)
        if steer is not None:
            clean = clean_estimate(scheduler, latent, prediction, float(timestep))
            prediction = output_for(scheduler, latent, steer(clean, times[begin + step - 1]), float(timestep))
        before = latent
        # 2. step
        latent = scheduler.step(prediction, timestep, latent, **extra).prev_sample
        # 3. tell
        time = times[begin + step] if step < steps else 0.0
        latent = latent if project is None else project(latent, time)

        def estimate(noisy: Tensor = before, output: Tensor = prediction, t: float = float(timestep)) -> Tensor:
            return clean_estimate(scheduler, noisy, output, t)

        yield State(step, steps, time, latent, estimate)


def draws_noise(scheduler: Scheduler) -> bool:
    """Whether its steps may draw noise."""
    return "generator" in inspect.signature(scheduler.step).parameters


def _step_arguments(scheduler: Scheduler, generators: Sequence[torch.Generator] | None, eta: float) -> dict[str, Any]:
    accepted = inspect.signature(scheduler.step).parameters
    extra: dict[str, Any] = {}
    if "eta" in accepted:
        extra["eta"] = eta
    elif eta:
        raise InputError(f"eta is for the ddim scheduler only, not {type(scheduler).__name__}; leave it at 0")
    if draws_noise(scheduler) and generators is not None:
        extra["generator"] = list(generators)
    return extra
