"""`Denoiser`: a network bound to its conditions, anchors and guidance, so that a sampler has one thing to call."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion.guidance import Guidance, NetworkCall
from gaussiandiffusion.ground.conditions import Conditions


@dataclass(frozen=True, eq=False)
class Denoiser:
    """Predicts for a batch of noisy latents what the network's objective says: noise, velocity or flow.

    Args:
        network: takes (sample, timestep, conditions, anchors).
        conditions: what each sample is asked to be, on the network's device.
        anchors: of the slots, for a network that takes them.
        guidance: see `Guidance`.
        num_train_timesteps: what the objective counts time in: timestep = time * num_train_timesteps.
    """

    network: NetworkCall
    conditions: Conditions
    anchors: Float[Tensor, "k a"] | None = None
    guidance: Guidance = field(default_factory=Guidance)
    num_train_timesteps: int = 1000

    def __call__(self, sample: Float[Tensor, "n ..."], timestep: float | Tensor) -> Float[Tensor, "n ..."]:
        """One pass of the network, or with guidance two: u + scale (c - u), c with conditions, u without."""
        times = torch.full((len(sample),), float(timestep), device=sample.device)
        scale = self.guidance.at(float(timestep) / self.num_train_timesteps)
        asked = self.conditions.values if self.conditions.spec else None
        if scale == 1 or (asked is None and self.guidance.weaker is None):
            return self.network(sample, times, asked, self.anchors).float()
        nothing = self.conditions.drop().values if asked is not None else None
        if self.guidance.weaker is not None:
            conditional = self.network(sample, times, asked, self.anchors)
            unconditional = self.guidance.weaker(sample, times, nothing, self.anchors)
        else:  # one network, in one batch
            assert asked is not None
            assert nothing is not None
            both = torch.cat([asked, nothing])
            output = self.network(torch.cat([sample, sample]), torch.cat([times, times]), both, self.anchors)
            conditional, unconditional = output.chunk(2)
        return (unconditional + scale * (conditional - unconditional)).float()
