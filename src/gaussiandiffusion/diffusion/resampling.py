"""`Resampling`: a sampler that at every noise level goes down and up again, so that what is made fits what is kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion.schedulers import (
    Scheduler,
    begin_of,
    clean_estimate,
    coefficients,
    prediction_of,
    set_timesteps,
    times_of,
)
from gaussiandiffusion.ground.errors import InputError


@dataclass
class ResamplingOutput:
    """`prev_sample`: the latent at the next level."""

    prev_sample: Tensor


class Resampling:
    """Deterministic steps between a scheduler's noise levels, each taken several times.

    A step leads to the next lower level; but for the last of its times, fresh noise then leads back to where it began.
    With a projection between the steps, what is projected and the rest so come to agree: a single pass makes the rest
    fit only what was known of the whole at higher levels.

    Args:
        of: a model's scheduler: its levels, and what its network predicts.
        rounds: times that each step is taken, r; 1: none is repeated.

    Raises:
        InputError: rounds < 1.

    Source: Lugmayr et al., "RePaint: Inpainting using Denoising Diffusion Probabilistic Models", CVPR 2022, algorithm 1
    with jump length 1; steps as in Song et al., "Denoising Diffusion Implicit Models", 2021, eq. 12 without noise.
    """

    def __init__(self, of: Scheduler, rounds: int) -> None:
        if rounds < 1:
            raise InputError(f"rounds must be >= 1, not {rounds}")
        self.rounds = rounds
        self._of = copy.deepcopy(of)
        flow = prediction_of(of) == "flow"
        self.config: Mapping[str, Any] = {
            name: value for name, value in of.config.items() if name != "solver_order"
        } | ({"use_flow_sigmas": True} if flow else {})
        self.timesteps: Tensor = torch.empty(0)
        self._taken = 0

    @property
    def alphas_cumprod(self) -> Float[Tensor, " t"]:
        """The table of a discrete process."""
        return getattr(self._of, "alphas_cumprod")  # noqa: B009 (all but flow schedulers have it)

    def set_timesteps(self, num_inference_steps: int, *, start: float = 1.0) -> None:
        """Lay out the levels of n steps from 1, or those at and below `start`, each `rounds` times."""
        set_timesteps(self._of, num_inference_steps, start)
        times = times_of(self._of)[begin_of(self._of, start) :]
        levels = [time for time in dict.fromkeys(times) if time > 0]  # Heun's method has each twice
        total = self.config["num_train_timesteps"]
        self.timesteps = torch.tensor([time * total for time in levels for _ in range(self.rounds)])
        self._lower = [time for time in [*levels[1:], 0.0] for _ in range(self.rounds)]
        self._taken = 0

    def step(
        self,
        model_output: Float[Tensor, "n ..."],
        timestep: Tensor | float,
        sample: Float[Tensor, "n ..."],
        generator: Sequence[torch.Generator] | None = None,
    ) -> ResamplingOutput:
        """From one level to the next, which may be the same once more.

        Args:
            timestep: must be called with those of `set_timesteps`, in turn.
            generator: one a sample.
        """
        times, taken = times_of(self), self._taken
        level, lower = times[taken], self._lower[taken]
        following = times[taken + 1] if taken + 1 < len(times) else 0.0
        self._taken += 1
        clean = clean_estimate(self, sample, model_output, float(timestep))
        signal, sigma = coefficients(self, level)
        below = coefficients(self, lower)
        latent = below[0] * clean + below[1] * (sample - signal * clean) / sigma
        if following > lower:
            above = coefficients(self, following)
            ratio = above[0] / below[0]
            spread = max(0.0, above[1] ** 2 - (ratio * below[1]) ** 2) ** 0.5
            latent = ratio * latent + spread * _noise(latent, generator)
        return ResamplingOutput(latent)


def _noise(like: Float[Tensor, "n ..."], generators: Sequence[torch.Generator] | None) -> Float[Tensor, "n ..."]:
    """Standard normal, each row by a generator of its own."""
    if generators is None:
        return torch.randn_like(like)
    rows = [torch.randn(row.shape, generator=own) for row, own in zip(like, generators, strict=True)]
    return torch.stack(rows).to(like)
