"""The loss of one batch: distance in the latent, and at low noise distance in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.diffusion.guidance import NetworkCall
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.representation import Representation


@dataclass(frozen=True)
class Dropout:
    """How often conditions are hidden.

    Attributes:
        together: share of samples whose conditions all are, for guidance.
        alone: share of values that are by themselves, where there are several attributes.
    """

    together: float
    alone: float


@dataclass(frozen=True)
class Draw:
    """The random part of a batch: noise, times and which conditions are hidden."""

    noise: Float[Tensor, "n ..."]
    timesteps: Float[Tensor, " n"]
    dropped: Bool[Tensor, "n a"]

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        objective: Objective,
        attributes: int,
        dropout: Dropout,
        generator: torch.Generator,
    ) -> Draw:
        """Args: shape: of the latents; attributes: how many conditions have."""
        count = shape[0]
        noise = torch.randn(shape, generator=generator)
        timesteps = objective.sample_timesteps(count, generator)
        dropped = (torch.rand(count, generator=generator) < dropout.together)[:, None].expand(count, attributes)
        if attributes > 1:
            dropped = dropped | (torch.rand(count, attributes, generator=generator) < dropout.alone)
        return cls(noise, timesteps, dropped)

    def part(self, rank: int, world: int) -> Draw:
        """One process's share of the batch."""
        return Draw(*(part[rank::world] for part in (self.noise, self.timesteps, self.dropped)))

    def to(self, device: torch.device) -> Draw:
        return Draw(*(part.to(device) for part in (self.noise, self.timesteps, self.dropped)))


@dataclass(frozen=True)
class DenoisingLoss:
    """Mean squared error of the prediction, plus `render_weight` times the picture loss below a time.

    Attributes:
        render_below: share of noise below which the picture counts.
    """

    objective: Objective
    representation: Representation[Any]
    render_weight: float = 0.0
    render_below: float = 0.5

    def __call__(
        self,
        network: NetworkCall,
        clean: Float[Tensor, "n ..."],
        conditions: Conditions,
        anchors: Float[Tensor, "k a"] | None,
        draw: Draw,
    ) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Returns the loss, and its parts for the log."""
        objective = self.objective
        noisy = objective.add_noise(clean, draw.noise, draw.timesteps)
        asked = conditions.drop(draw.dropped).values if conditions.spec else None
        output = network(noisy, draw.timesteps, asked, anchors).float()
        latent_loss = (output - objective.target(clean, draw.noise, draw.timesteps)).square().mean()
        parts = {"latent": latent_loss.item()}
        if not self.render_weight:
            return latent_loss, parts
        _, sigma = objective.coefficients(draw.timesteps, noisy)
        near = sigma.flatten() < self.render_below
        if not bool(near.any()):
            return latent_loss, parts
        predicted = objective.clean(noisy[near], output[near], draw.timesteps[near])
        picture_loss = self.representation.picture_loss(predicted, clean[near]) * near.float().mean()
        parts["render"] = picture_loss.item()
        return latent_loss + self.render_weight * picture_loss, parts
