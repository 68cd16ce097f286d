"""Classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from gaussiandiffusion.errors import InputError

Network = Callable[..., Float[Tensor, "n ..."]]


@dataclass(frozen=True)
class Guidance:
    """How strongly, when and away from what the class is pressed.

    Args:
        scale: 1 = off, as in diffusers.
        low, high: shares of the process (0: data, 1: noise) between which it applies; elsewhere an evaluation costs
            half.
        weaker: a network whose estimate without the class takes the place of the model's own, see `guided`.

    Raises:
        InputError: not 0 <= low <= high <= 1.

    Source: Kynkäänniemi et al., "Applying Guidance in a Limited Interval", NeurIPS 2024.
    """

    scale: float = 1.0
    low: float = 0.0
    high: float = 1.0
    weaker: Network | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise InputError(f"guidance_interval must be two shares 0 <= low <= high <= 1, not {self.low}, {self.high}")

    def at(self, share: float) -> float:
        """The scale at a time."""
        return self.scale if self.low <= share <= self.high else 1.0


def guided(
    network: Network,
    sample: Float[Tensor, "n ..."],
    timestep: Float[Tensor, " n"],
    class_labels: Int64[Tensor, " n"] | None,
    anchors: Float[Tensor, "k a"] | None,
    *,
    guidance_scale: float = 1.0,
    null_label: int = 0,
    weaker: Network | None = None,
) -> Float[Tensor, "n ..."]:
    """One evaluation, or with guidance two, of one network in one batch: u + scale (c - u), c with, u without class.

    Args:
        guidance_scale: 1 = off, as in diffusers.
        null_label: the label that means "no class".
        weaker: gives u, if set: a less trained or smaller network, by the same arguments. What it does worse is then
            pressed as well as the class, and costs the samples less of their variety.

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022; Karras et al., "Guiding a Diffusion Model
    with a Bad Version of Itself", NeurIPS 2024.
    """
    if weaker is not None and guidance_scale != 1:
        hidden = None if class_labels is None else torch.full_like(class_labels, null_label)
        conditional = network(sample, timestep, class_labels, anchors)
        unconditional = weaker(sample, timestep, hidden, anchors)
    elif class_labels is None or guidance_scale == 1:
        return network(sample, timestep, class_labels, anchors)
    else:
        labels = torch.cat([class_labels, torch.full_like(class_labels, null_label)])
        both = network(torch.cat([sample, sample]), torch.cat([timestep, timestep]), labels, anchors)
        conditional, unconditional = both.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def drop_labels(labels: Int64[Tensor, " n"], dropped: Bool[Tensor, " n"], null_label: int) -> Int64[Tensor, " n"]:
    """Labels with some replaced by "no class", so that one network learns both."""
    return torch.where(dropped, null_label, labels)
