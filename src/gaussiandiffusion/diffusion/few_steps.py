"""`FlowMatchFewStepScheduler`: our own sampler of flow models, made for one to ten steps."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.component import Config, configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json

SCHEDULER_FILE = "scheduler_config.json"


@dataclass
class FewStepOutput:
    """`prev_sample`: the latent at the next noise level; `pred_original_sample`: the estimate of the clean one."""

    prev_sample: Tensor
    pred_original_sample: Tensor


class FlowMatchFewStepScheduler:
    """Integrate dx/ds = (x - D(x, s)) / s from noise, s = 1, to data, s = 0; D is the network's clean estimate.

    Between two levels D is taken for a straight line in s through its last two values, for which the step is exact.
    Unlike solvers in the logarithm of the signal-to-noise ratio, such as DPM-Solver++, nothing is infinite at s = 1 and
    the second step already is of second order.

    The levels fall evenly from 1 to `last_level`, or if that is higher to 1/n, and the last step leads to D itself.
    Below some noise a network's estimates err in every splat on its own; many small steps there would add the errors up
    to speckle, one step averages them away.

    Args:
        num_train_timesteps: of the unit of time; t = 1000 s.
        solver_order: 2, or 1 for Euler's method: D is constant in each step.
        last_level: noise share at which the last step begins, in (0, 1].

    Raises:
        InputError: an order or a level out of range.

    Source: exponential integrators as in Lu et al., "DPM-Solver++", 2022, and Zhang and Chen, "Fast Sampling of
    Diffusion Models with Exponential Integrator", 2023, with D extrapolated in s.
    """

    config: Config
    order = 1  # passes of the network a step, as diffusers asks

    @configured
    def __init__(self, num_train_timesteps: int = 1000, solver_order: int = 2, last_level: float = 0.2) -> None:
        if solver_order not in (1, 2):
            raise InputError(f"solver_order must be 1 or 2, not {solver_order}")
        if not 0 < last_level <= 1:
            raise InputError(f"last_level must lie in (0, 1], not {last_level}")
        self.set_timesteps(10)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], **changes: Any) -> FlowMatchFewStepScheduler:
        """One of these settings; those that other schedulers have, and remarks, are passed over."""
        known = inspect.signature(cls.__init__).parameters
        return cls(**{name: value for name, value in {**config, **changes}.items() if name in known})

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write the settings, as diffusers' schedulers are kept."""
        write_json(Path(folder) / SCHEDULER_FILE, {"_class_name": type(self).__name__, **self.config})

    @property
    def init_noise_sigma(self) -> float:
        """Sampling starts at pure noise of deviation 1."""
        return 1.0

    def set_timesteps(
        self, num_inference_steps: int, device: torch.device | str | None = None, *, start: float = 1.0
    ) -> None:
        """Lay out n levels and forget the estimates of an earlier run.

        Args:
            num_inference_steps: n >= 1.
            start: the first level, in (0, 1].
        """
        n = 1 if start <= self.config.last_level else num_inference_steps
        last = max(start / n, self.config.last_level)
        self.num_inference_steps = n
        levels = torch.linspace(start, last, n) if n > 1 else torch.full((1,), start)
        self.sigmas = torch.cat([levels, torch.zeros(1)])
        self.timesteps = (self.sigmas[:-1] * self.config.num_train_timesteps).to(device)
        self._taken = 0
        self._before: tuple[float, Tensor] | None = None  # level and estimate of the step before

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Skip so many levels: the run begins at one of less noise."""
        self._taken = begin_index

    def scale_model_input(self, sample: Tensor, timestep: Tensor | float | None = None) -> Tensor:
        """Flow models take the latent as it is."""
        return sample

    def step(
        self, model_output: Float[Tensor, "n ..."], timestep: Tensor | float, sample: Float[Tensor, "n ..."]
    ) -> FewStepOutput:
        """From one level to the next.

        Args:
            model_output: the velocity e - x0 at `sample`.
            timestep: must be called with those of `set_timesteps`, in turn.
        """
        level, target = (float(self.sigmas[self._taken + i]) for i in (0, 1))
        clean = sample - level * model_output
        slope = torch.zeros_like(clean)  # dD/ds
        if self.config.solver_order == 2 and self._before is not None and target > 0:
            earlier, estimate = self._before
            slope = (estimate - clean) / (earlier - level)
        self._taken, self._before = self._taken + 1, (level, clean)
        if target == 0:
            return FewStepOutput(prev_sample=clean, pred_original_sample=clean)
        # D = a + b s integrates to x(t) = t (x(s) / s + a (1/t - 1/s) - b log(t/s))
        ratio = target / level
        straight = ratio * sample + (1 - ratio) * (clean - level * slope)
        return FewStepOutput(straight - target * math.log(ratio) * slope, clean)

    def __len__(self) -> int:
        return self.config.num_train_timesteps
