"""The loss of one batch: distance in the latent, and at low noise distance in the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.diffusion.guidance import NetworkCall
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.representation import Representation

TRIED = 100_000  # times that tell how many are below another


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
        """Args: shape: of the latents; attributes: how many conditions have; generator: on the device to draw on."""
        count = shape[0]
        device = generator.device
        noise = torch.randn(shape, generator=generator, device=device)
        timesteps = objective.sample_timesteps(count, generator)
        together = torch.rand(count, generator=generator, device=device) < dropout.together
        dropped = together[:, None].expand(count, attributes)
        if attributes > 1:
            dropped = dropped | (torch.rand(count, attributes, generator=generator, device=device) < dropout.alone)
        return cls(noise, timesteps, dropped)

    def part(self, rank: int, world: int) -> Draw:
        """One process's share of the batch."""
        return Draw(*(part[rank::world] for part in (self.noise, self.timesteps, self.dropped)))

    def placed(self, place: Callable[[Tensor], Tensor]) -> Draw:
        """Elsewhere."""
        return Draw(*map(place, (self.noise, self.timesteps, self.dropped)))


@dataclass(frozen=True)
class DenoisingLoss:
    """Mean squared error of the prediction, plus `render_weight` times the picture loss below a time.

    Attributes:
        render_below: share of noise below which the picture counts.
        fixed_shapes: let no shape depend on the times that were drawn, as is best for accelerators, which the CPU would
            else have to wait for: as many pictures are drawn of every batch as are below that time but for once in
            hundreds of batches, those that are not weighing nothing.
    """

    objective: Objective
    representation: Representation[Any]
    render_weight: float = 0.0
    render_below: float = 0.5
    fixed_shapes: bool = False

    def __call__(
        self,
        network: NetworkCall,
        clean: Float[Tensor, "n ..."],
        conditions: Conditions,
        anchors: Float[Tensor, "k a"] | None,
        draw: Draw,
        goals: Float[Tensor, "n c h w"] | None = None,
    ) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
        """The loss of a batch.

        Args:
            goals: the images that pictures of the estimates are compared with, where no condition is hidden: what is
                nearest to all images that then may be meant is a blur. Default: pictures of the clean latents, always.

        Returns:
            The loss, and its parts for the log.
        """
        objective = self.objective
        noisy = objective.add_noise(clean, draw.noise, draw.timesteps)
        asked = conditions.drop(draw.dropped).values if conditions.spec else None
        output = network(noisy, draw.timesteps, asked, anchors).float()
        latent_loss = (output - objective.target(clean, draw.noise, draw.timesteps)).square().mean()
        parts = {"latent": latent_loss.detach()}
        if not self.render_weight:
            return latent_loss, parts
        sigma = objective.coefficients(draw.timesteps, noisy)[1].flatten()
        near = sigma < self.render_below
        if goals is not None:
            near &= ~draw.dropped.any(1)
        count = self._most_near(len(near)) if self.fixed_shapes else int(near.sum())
        if not count:
            return latent_loss, parts
        first = (~near).int().argsort(stable=True)[:count]  # those that are near, in their order
        predicted = objective.clean(noisy[first], output[first], draw.timesteps[first])
        weights = None
        if self.fixed_shapes:
            weights = near[first].float()
            # Far estimates may be anything, and nothing times infinity is not nothing.
            predicted = torch.where(weights.view(-1, *[1] * (clean.ndim - 1)) > 0, predicted, clean[first])
        goal = self.representation.pictures(clean[first]) if goals is None else goals[first]
        picture_loss = self.representation.picture_loss(predicted, goal, weights) * (count / len(near))
        parts["render"] = picture_loss.detach()
        return latent_loss + self.render_weight * picture_loss, parts

    def _most_near(self, count: int) -> int:
        """So many of a batch's times lie below `render_below` at most, but for three deviations."""
        share = self._share_near
        return min(count, math.ceil(count * share + 3 * math.sqrt(count * share * (1 - share))))

    @cached_property
    def _share_near(self) -> float:
        times = self.objective.sample_timesteps(TRIED, torch.Generator().manual_seed(0))
        return float((self.objective.coefficients(times, times)[1] < self.render_below).float().mean())
