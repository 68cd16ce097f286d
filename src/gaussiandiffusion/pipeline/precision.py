"""In how many bits a model samples fastest here."""

from __future__ import annotations

import torch

from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.models.precision import Precision, faster_precision, multiplies_bf16
from gaussiandiffusion.pipeline.model import GaussianDiffusion


def faster_sampling(model: GaussianDiffusion) -> Precision:
    """The precision of a model's network that a short trial of one pass, for one chunk, finds the faster; see
    `faster_precision`. Where the device has no products of bfloat16 matrices, nothing is tried.
    """
    if not multiplies_bf16(model.device):
        return "no"
    count, network = model.chunk_size, model.denoiser
    noise = torch.zeros(count, *model.representation.latent_shape, device=model.device)
    times = torch.full((count,), 500.0, device=model.device)
    asked = Conditions.ask(model.condition_spec, count).values.to(model.device) if model.condition_spec else None
    anchors = model.representation.anchors if network.num_anchor_features else None

    @torch.no_grad()
    def one_pass() -> None:
        network(noise, times, asked, anchors)

    return faster_precision(one_pass, model.device).precision
