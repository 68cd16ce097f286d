"""What a student meets when it samples: the latents that its own first steps lead to, not the straight path's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler

FEW_STEPS = (1, 2, 3, 4)  # that a student is prepared for


@dataclass(frozen=True)
class Runs:
    """Of each set of a batch, how long a run of the few-step sampler it is in, and where.

    Args:
        steps: of the run; 0: in none.
        taken: those that it has behind it.
    """

    steps: Int64[Tensor, " n"]
    taken: Int64[Tensor, " n"]

    @classmethod
    def of(cls, count: int, share: float, generator: torch.Generator) -> Runs:
        """All evaluations of one run for each of FEW_STEPS equally often, for a random share of the sets."""
        every = torch.tensor([(steps, taken) for steps in FEW_STEPS for taken in range(steps)])
        chosen = every[torch.randint(len(every), (count,), generator=generator)]
        within = torch.rand(count, generator=generator) < share
        return cls(*(chosen * within[:, None]).unbind(1))

    def part(self, rank: int, world: int) -> Runs:
        return Runs(self.steps[rank::world], self.taken[rank::world])

    def to(self, device: torch.device) -> Runs:
        return Runs(self.steps.to(device), self.taken.to(device))


@torch.no_grad()
def own_latents(
    network: Callable[..., Tensor],
    runs: Runs,
    noise: Float[Tensor, "n ..."],
    labels: Int64[Tensor, " n"] | None,
    anchors: Float[Tensor, "k a"] | None,
) -> tuple[Float[Tensor, "n ..."], Float[Tensor, " n"]]:
    """The latents and times at which the sampler asks the network next, in each set's run as far as it has come.

    To learn from them what leads to the pair's end makes good what the first steps got wrong, where paths between
    noise and data alone only ever show steps without error.

    Args:
        network: as it is; no gradient goes through the steps behind.

    Returns:
        Noisy latents and timesteps in 0 ... 1000; of sets in no run the noise, at 1000.

    Source: after Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
    Online Learning", AISTATS 2011: learn in the states that the learner itself gets into.
    """
    latents, times = noise.clone(), torch.full(runs.steps.shape, 1000.0, device=noise.device)
    scheduler = FlowMatchFewStepScheduler()
    for steps in FEW_STEPS[1:]:
        (members,) = torch.nonzero(runs.steps == steps, as_tuple=True)
        if not len(members):
            continue
        scheduler.set_timesteps(steps, noise.device)
        latent, asked = noise[members], None if labels is None else labels[members]
        taken = runs.taken[members]
        for number, t in enumerate(scheduler.timesteps):
            here = members[taken == number]
            latents[here], times[here] = latent[taken == number], t
            if number < int(taken.max()):
                output = network(latent, t.expand(len(members)), asked, anchors).float()
                latent = scheduler.step(output, t, latent).prev_sample
    return latents, times
