"""`vary`: sets like given ones, by noise to some time and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gaussiandiffusion.diffusion import prepared, times_of
from gaussiandiffusion.diffusion.schedulers import begin_of, coefficients
from gaussiandiffusion.edit.guidance import Target, towards
from gaussiandiffusion.edit.sets_in import latents_of
from gaussiandiffusion.edit.states import Beginning, edit_run, edit_seed, edited, noise_rows, number, rows
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run
from gaussiandiffusion.pipeline.output import Callback
from gaussiandiffusion.splats import Splats

STRENGTH = 0.3


def vary(
    pipe: GaussianDiffusion,
    splats: Splats,
    strength: float = STRENGTH,
    seed: int = 0,
    *,
    target: Target | None = None,
    return_trajectory: bool = False,
    callback: Callback | None = None,
    **request: Any,
) -> GaussianDiffusionOutput:
    """Variations of sets: each is brought to a share of noise, and led back by the model.

    Args:
        pipe: a model of splats.
        splats: N sets in the model's slots; several variations of one are that set several times, `splats[[0] * 8]`.
        strength: time to go to, 0 (the sets as they are) to 1 (samples that owe them nothing).
        seed: variation i depends on (seed, i) and set i alone.
        target: a picture that leads the way back, see `Target`.
        return_trajectory, callback: as for a sample.
        request: class_labels or conditions (left open where not given), num_inference_steps, guidance_scale and what
            else a sample is asked by.

    Raises:
        InputError: a strength out of range, sets that are not the model's kind, or what a sample would be refused for.

    Source: Meng et al., "SDEdit", ICLR 2022.
    """
    strength = number("the strength", strength, 0, 1)
    clean = latents_of(pipe, splats)
    run = edit_run(pipe, len(splats), edit_seed(seed), request)
    if strength == 0:
        return _as_they_are(pipe, splats, run)

    def begin(part: Run) -> Beginning:
        scheduler = prepared(part.sampler or pipe.scheduler, part.steps, strength)
        signal, sigma = coefficients(scheduler, times_of(scheduler)[begin_of(scheduler, strength)])
        latent = signal * rows(clean, part, pipe) + sigma * noise_rows(part, pipe)
        steer = None if target is None else towards(pipe, target, part)
        return Beginning(latent, strength, steer=steer)

    return edited(pipe, run, begin, return_trajectory=return_trajectory, callback=callback)


def _as_they_are(pipe: GaussianDiffusion, splats: Splats, run: Run) -> GaussianDiffusionOutput:
    conditions = run.conditions
    return GaussianDiffusionOutput(
        images=pipe.representation.draw(splats),
        splats=replace(splats),
        labels=conditions.class_numbers,
        conditions=conditions if conditions.spec else None,
    )
