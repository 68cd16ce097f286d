"""The noise that a sampler would have made given latents of: its steps, taken backwards."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion.schedulers import Scheduler, clean_estimate, coefficients, times_of

REFINEMENTS = 2


def invert(
    denoiser: Callable[[Tensor, float], Tensor],
    scheduler: Scheduler,
    clean: Float[Tensor, "n ..."],
    *,
    refinements: int = REFINEMENTS,
) -> Float[Tensor, "n ..."]:
    """Lead data to the noise that `Resampling` with a single round leads back to it.

    Each step up is first taken with the estimate at its lower end, then again with the one at its upper end, which is
    the one that the step down has.

    Args:
        denoiser: (latent, timestep) -> prediction; guidance other than 1 makes the way back inexact.
        scheduler: a `Resampling`, as `prepared` gives it: its levels are those of the way back.
        clean: latents of data.
        refinements: how often each step is taken again.

    Returns:
        Latents at the first level, of noise about normal.

    Source: Song et al., "Denoising Diffusion Implicit Models", 2021, section 4.3 (the steps backwards); Pan et al.,
    "Effective Real Image Editing with Accelerated Iterative Diffusion Inversion", ICCV 2023 (repeating each).
    """
    total = scheduler.config["num_train_timesteps"]
    latent, time = clean, 0.0
    for level in reversed(times_of(scheduler)):
        above, here = coefficients(scheduler, level), coefficients(scheduler, time)
        timestep = level * total

        def noise_at(noisy: Tensor, estimate: Tensor, weights: tuple[float, float]) -> Tensor:
            return (noisy - weights[0] * estimate) / weights[1]

        if time == 0:
            following = above[0] * clean
        else:
            estimate = clean_estimate(scheduler, latent, denoiser(latent, time * total), time * total)
            following = above[0] * estimate + above[1] * noise_at(latent, estimate, here)
        for _ in range(max(refinements, time == 0)):
            estimate = clean_estimate(scheduler, following, denoiser(following, timestep), timestep)
            if time == 0:  # the last step down forgets the noise: its estimate serves
                following = above[0] * clean + above[1] * noise_at(following, estimate, above)
            else:
                following = above[0] * estimate + above[1] * noise_at(latent, estimate, here)
        latent, time = following, level
    return latent
