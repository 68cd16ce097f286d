"""Guidance: how strongly, when and away from what the conditions are pressed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError

NetworkCall = Callable[..., Float[Tensor, "n ..."]]  # of (sample, timestep, conditions, anchors)


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance.

    Args:
        scale: 1 = off, as in diffusers.
        low, high: times (0: data, 1: noise) between which it applies; elsewhere a step takes one pass of the network
            instead of two.
        weaker: a network whose estimate without conditions takes the place of the model's own: a less trained or
            smaller one, by the same arguments. What it does worse is then pressed as well as the conditions, and costs
            the samples less of their variety.

    Raises:
        InputError: not 0 <= low <= high <= 1, or a scale that is no number.

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022; Kynkäänniemi et al., "Applying Guidance in a
    Limited Interval", NeurIPS 2024; Karras et al., "Guiding a Diffusion Model with a Bad Version of Itself", NeurIPS
    2024.
    """

    scale: float = 1.0
    low: float = 0.0
    high: float = 1.0
    weaker: NetworkCall | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.scale):
            raise InputError(f"the guidance scale must be a number, not {self.scale}")
        if not 0 <= self.low <= self.high <= 1:
            raise InputError(f"guidance_interval must be two shares 0 <= low <= high <= 1, not {self.low}, {self.high}")

    def at(self, time: float) -> float:
        """The scale at a time."""
        return self.scale if self.low <= time <= self.high else 1.0
