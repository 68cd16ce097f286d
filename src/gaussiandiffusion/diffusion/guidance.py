"""Classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

Network = Callable[..., Float[Tensor, "n ..."]]


def guided(
    network: Network,
    sample: Float[Tensor, "n ..."],
    timestep: Float[Tensor, " n"],
    class_labels: Int64[Tensor, " n"] | None,
    anchors: Float[Tensor, "k a"] | None,
    *,
    guidance_scale: float = 1.0,
    null_label: int = 0,
) -> Float[Tensor, "n ..."]:
    """One evaluation, or with guidance two in one batch: u + scale (c - u), c with and u without the class.

    Args:
        guidance_scale: 1 = off, as in diffusers.
        null_label: the label that means "no class".

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022.
    """
    if class_labels is None or guidance_scale == 1:
        return network(sample, timestep, class_labels, anchors)
    labels = torch.cat([class_labels, torch.full_like(class_labels, null_label)])
    both = network(torch.cat([sample, sample]), torch.cat([timestep, timestep]), labels, anchors)
    conditional, unconditional = both.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def drop_labels(labels: Int64[Tensor, " n"], dropped: Bool[Tensor, " n"], null_label: int) -> Int64[Tensor, " n"]:
    """Labels with some replaced by "no class", so that one network learns both."""
    return torch.where(dropped, null_label, labels)
