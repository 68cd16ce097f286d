"""The loss of one batch: distance in the latent, and at low noise distance in the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.diffusion import Objective, drop_labels
from gaussiandiffusion.rendering import Backend, accumulate


@dataclass(frozen=True)
class Draw:
    """The random part of a batch: noise, times and which labels are hidden."""

    noise: Float[Tensor, "n ..."]
    timesteps: Float[Tensor, " n"]
    dropped: Tensor

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        objective: Objective,
        label_dropout: float,
        generator: torch.Generator,
    ) -> Draw:
        noise = torch.randn(shape, generator=generator)
        timesteps = objective.sample_timesteps(shape[0], generator)
        return cls(noise, timesteps, torch.rand(shape[0], generator=generator) < label_dropout)

    def part(self, rank: int, world: int) -> Draw:
        """One process's share of the batch."""
        return Draw(*(part[rank::world] for part in (self.noise, self.timesteps, self.dropped)))

    def to(self, device: torch.device) -> Draw:
        return Draw(*(part.to(device) for part in (self.noise, self.timesteps, self.dropped)))


def denoising_loss(
    network: Callable[..., Tensor],
    objective: Objective,
    representation: Any,
    clean: Float[Tensor, "n ..."],
    labels: Int64[Tensor, " n"] | None,
    anchors: Float[Tensor, "k a"] | None,
    draw: Draw,
    *,
    null_label: int,
    feature_weights: Float[Tensor, "k f"] | None = None,
    render_weight: float = 0.0,
    render_below: float = 0.5,
) -> tuple[Float[Tensor, ""], dict[str, float]]:
    """Mean squared error of the prediction, plus `render_weight` times the rendered-image loss.

    Args:
        feature_weights: of the latent's features in that error, with mean 1; None: all 1. They move no minimum.

    Returns:
        The loss, and its parts for the log.
    """
    noisy = objective.add_noise(clean, draw.noise, draw.timesteps)
    if labels is not None:
        labels = drop_labels(labels, draw.dropped, null_label)
    output = network(noisy, draw.timesteps, labels, anchors).float()
    errors = (output - objective.target(clean, draw.noise, draw.timesteps)).square()
    latent_loss = (errors if feature_weights is None else errors * feature_weights).mean()
    parts = {"latent": latent_loss.item()}
    if not render_weight:
        return latent_loss, parts
    _, sigma = objective.coefficients(draw.timesteps, noisy)
    near = sigma.flatten() < render_below
    if not bool(near.any()):
        return latent_loss, parts
    predicted = objective.clean(noisy[near], output[near], draw.timesteps[near])
    picture_loss = rendered_distance(representation, predicted, clean[near]) * near.float().mean()
    parts["render"] = picture_loss.item()
    return latent_loss + render_weight * picture_loss, parts


def rendered_distance(
    representation: Any, predicted: Float[Tensor, "n k f"], clean: Float[Tensor, "n k f"]
) -> Float[Tensor, ""]:
    """Mean squared hinge distance of two latents' pictures: errors that the clamp to [0, 1] hides cost nothing.

    Where the clean picture is at a bound, a prediction beyond that bound is right; elsewhere the distance is plain,
    and its gradient alive even where the prediction is out of range (cf. the rendered losses of GaussianCube, 2024).
    """
    backend: Backend = "cpu" if predicted.device.type == "cpu" else "reference"
    with torch.no_grad():
        goal = accumulate(representation.decode(clean), cutoff=3.5, backend=backend).clamp(0, 1)
    picture = accumulate(representation.decode(predicted), cutoff=3.5, backend=backend)
    low = torch.where(goal > 0, goal, -torch.inf)
    high = torch.where(goal < 1, goal, torch.inf)
    return (picture - torch.minimum(torch.maximum(picture.detach(), low), high)).square().mean()
