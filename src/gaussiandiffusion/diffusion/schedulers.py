"""Samplers by name: diffusers schedulers and our own, each with the objectives it can integrate."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.guidance import Guidance
from gaussiandiffusion.ground.errors import InputError


@runtime_checkable
class Scheduler(Protocol):
    """What a scheduler has, diffusers' or ours: from noise to data in laid out steps."""

    config: Mapping[str, Any]
    timesteps: Tensor

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None:
        """Lay out the steps, and forget those of an earlier run."""

    def step(self, *args: Any, **kwargs: Any) -> Any:
        """From one latent to the next, by a network's output; the result has `prev_sample`."""


@dataclass(frozen=True)
class Sampler:
    """A scheduler class, diffusers' by name or ours, the predictions it takes, and settings for flow models."""

    scheduler: str | type
    predictions: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    flow_settings: dict[str, Any] = field(default_factory=dict)


ROUNDING = 1e-6  # of times in float32

_DISCRETE = ("epsilon", "v_prediction")
_FLOW_SIGMAS = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}

SAMPLERS: dict[str, Sampler] = {
    "ddpm": Sampler("DDPMScheduler", _DISCRETE, {"clip_sample": False}),
    "ddim": Sampler("DDIMScheduler", _DISCRETE, {"clip_sample": False, "timestep_spacing": "trailing"}),
    "dpm++": Sampler("DPMSolverMultistepScheduler", (*_DISCRETE, "flow"), flow_settings=_FLOW_SIGMAS),
    "unipc": Sampler("UniPCMultistepScheduler", (*_DISCRETE, "flow"), flow_settings=_FLOW_SIGMAS),
    "euler": Sampler("FlowMatchEulerDiscreteScheduler", ("flow",)),
    "heun": Sampler("FlowMatchHeunDiscreteScheduler", ("flow",)),
    "few-step": Sampler(FlowMatchFewStepScheduler, ("flow",)),
}


def prediction_of(scheduler: Scheduler) -> str:
    """The prediction a diffusers scheduler expects: "flow", "epsilon" or "v_prediction"."""
    if type(scheduler).__name__.startswith("FlowMatch") or scheduler.config.get("use_flow_sigmas"):
        return "flow"
    return scheduler.config["prediction_type"]


def make_scheduler(name: str, current: Scheduler) -> Scheduler:
    """The scheduler called `name`, set up like `current`.

    Raises:
        InputError: unknown name, or one that cannot integrate the model's prediction.
    """
    if name not in SAMPLERS:
        raise InputError(f"unknown scheduler '{name}'; choose one of {', '.join(SAMPLERS)}")
    prediction = prediction_of(current)
    sampler = SAMPLERS[name]
    if prediction not in sampler.predictions:
        fitting = ", ".join(n for n, s in SAMPLERS.items() if prediction in s.predictions)
        raise InputError(f"scheduler '{name}' cannot sample a {prediction} model; choose one of {fitting}")
    settings = sampler.settings | (sampler.flow_settings if prediction == "flow" else {})
    kind: Any = sampler.scheduler
    if isinstance(kind, str):
        kind = getattr(import_module("diffusers"), kind)  # slow to import, and our own needs none
    # Settings of the other class alone would be warned of at every loading; private keys tell defaults from choices.
    accepted = inspect.signature(kind.__init__).parameters
    kept = {name: value for name, value in current.config.items() if name in accepted or name.startswith("_")}
    return kind.from_config(kept, **settings)


def set_timesteps(scheduler: Scheduler, num_inference_steps: int, start: float = 1.0) -> Tensor:
    """Lay out the noise levels of a run; returns the timesteps.

    Flow schedulers that take explicit levels get 1, 1 - 1/n, ... 1/n: their default ends with a step from 1/1000
    to 0 that does nothing.

    Args:
        start: time that the run begins at. Where levels can be chosen, the first is just that, and so large a share of
            the n steps is laid out from there; elsewhere all levels are, and `sample` passes over those above it.

    Raises:
        InputError: steps < 1, or more than the process has; a multistep solver takes one less.
    """
    flow = prediction_of(scheduler) == "flow"
    # Multistep solvers lay their n times and the end over T whole numbers: at n = T two of them would fall together.
    multistep = "solver_order" in scheduler.config and not flow
    limit = scheduler.config["num_train_timesteps"] - multistep
    if not 1 <= num_inference_steps <= limit:
        raise InputError(f"steps must lie between 1 and {limit}, not {num_inference_steps}")
    accepted = inspect.signature(scheduler.set_timesteps).parameters
    n = max(1, math.ceil(start * num_inference_steps - ROUNDING))
    if "start" in accepted:
        scheduler.set_timesteps(n, start=start)
    elif "sigmas" in accepted and flow:
        scheduler.set_timesteps(sigmas=np.linspace(start, start / n, n))
    else:
        scheduler.set_timesteps(num_inference_steps)
        if scheduler.timesteps[-1] < 0:  # rounding in diffusers' "trailing" can add a step, at time -1
            scheduler.timesteps = scheduler.timesteps[:-1]
    return scheduler.timesteps


def prepared(scheduler: Scheduler, num_inference_steps: int, start: float = 1.0) -> Scheduler:
    """A scheduler of its own for one run, from `start` on: the given one may serve others at the same time.

    Raises:
        InputError: as `set_timesteps`.
    """
    own = copy.deepcopy(scheduler)
    set_timesteps(own, num_inference_steps, start)
    return own


def times_of(scheduler: Scheduler) -> list[float]:
    """Share of noise at the beginning of each step that is laid out, 1 (noise) to 0 (data)."""
    return [float(t) / scheduler.config["num_train_timesteps"] for t in scheduler.timesteps]


def begin_of(scheduler: Scheduler, start: float) -> int:
    """The first step at or below a time, of those that are laid out.

    Raises:
        InputError: the time is below all of them.
    """
    times = times_of(scheduler)
    begin = next((i for i, time in enumerate(times) if time <= start + ROUNDING), None)
    if begin is None:
        raise InputError(f"start must be at least {times[-1]:.3g}, the last time of this many steps, not {start}")
    while begin and begin + 1 < len(times) and times[begin + 1] == times[begin]:
        begin += 1  # the second of Heun's two passes at a time opens a step, the first ends one
    return begin


def passes(scheduler: Scheduler, num_inference_steps: int, guidance: Guidance) -> int:
    """Passes of the network for one sample: Heun's method makes two a step, guidance doubles those where it applies."""
    times = times_of(prepared(scheduler, num_inference_steps))
    return sum(1 if guidance.at(time) == 1 else 2 for time in times)


def clean_estimate(scheduler: Scheduler, noisy: Tensor, output: Tensor, timestep: float) -> Tensor:
    """The clean latent that a network's output stands for, clipped where the scheduler clips.

    Source: see `Objective`.
    """
    prediction = prediction_of(scheduler)
    signal, sigma = _weights(scheduler, timestep)
    if prediction == "flow":
        return noisy - sigma * output
    clean = (noisy - sigma * output) / signal if prediction == "epsilon" else signal * noisy - sigma * output
    if scheduler.config.get("thresholding"):
        most = scheduler.config["sample_max_value"]
        return clean.clamp(-most, most)
    return clean


def output_for(scheduler: Scheduler, noisy: Tensor, clean: Tensor, timestep: float) -> Tensor:
    """The network's output that stands for a clean latent: the inverse of `clean_estimate`, but for its clipping."""
    prediction = prediction_of(scheduler)
    signal, sigma = _weights(scheduler, timestep)
    if prediction == "flow":
        return (noisy - clean) / sigma
    return (noisy - signal * clean) / sigma if prediction == "epsilon" else (signal * noisy - clean) / sigma


def coefficients(scheduler: Scheduler, time: float) -> tuple[float, float]:
    """Weights of signal and noise in a latent with that share of noise; 1 and 0 at time 0."""
    return (1.0, 0.0) if time == 0 else _weights(scheduler, time * scheduler.config["num_train_timesteps"])


def _weights(scheduler: Scheduler, timestep: float) -> tuple[float, float]:
    if prediction_of(scheduler) == "flow":
        time = timestep / scheduler.config["num_train_timesteps"]
        return 1 - time, time
    # All but flow schedulers have the table.
    abar = float(getattr(scheduler, "alphas_cumprod")[round(timestep)])  # noqa: B009 (flow schedulers have none)
    return abar**0.5, (1 - abar) ** 0.5
