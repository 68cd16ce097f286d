"""`transfer`: the same noise under other conditions, such as one hand's 3 as a 7; and the noise that sets come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion import Guidance, prepared
from gaussiandiffusion.diffusion.inversion import invert
from gaussiandiffusion.diffusion.resampling import Resampling
from gaussiandiffusion.edit.sets_in import latents_of
from gaussiandiffusion.edit.states import Beginning, edit_run, edited, fine_levels, rows
from gaussiandiffusion.ground.threads import side_by_side
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run
from gaussiandiffusion.pipeline.output import Callback
from gaussiandiffusion.pipeline.request import chunk_denoiser
from gaussiandiffusion.splats import Splats

STEPS = 12  # each way: with fewer, sets do not come back as they were


def transfer(
    pipe: GaussianDiffusion,
    splats: Splats,
    *,
    own: Mapping[str, Any] | None = None,
    num_inference_steps: int = STEPS,
    return_trajectory: bool = False,
    callback: Callback | None = None,
    **request: Any,
) -> GaussianDiffusionOutput:
    """What sets would be, were they asked to be something else: led to their noise, and back under other conditions.

    Nothing is drawn at random. Of samples of one seed the same is had by asking for other labels with that seed.

    Args:
        pipe: a model of splats.
        splats: N sets in the model's slots.
        own: class_labels or conditions that the sets show; what is left open of them, their noise tells.
        num_inference_steps: each way.
        return_trajectory, callback: as for a sample.
        request: class_labels or conditions to show, and what else a sample is asked by.

    Raises:
        InputError: sets that are not the model's kind, or what a sample would be refused for.
    """
    noise = noise_of_sets(pipe, splats, own=own, num_inference_steps=num_inference_steps)
    run = edit_run(pipe, len(splats), 0, {**request, "num_inference_steps": num_inference_steps})
    run = replace(run, sampler=Resampling(fine_levels(pipe.scheduler), 1))

    def begin(part: Run) -> Beginning:
        return Beginning(rows(noise, part, pipe))

    return edited(pipe, run, begin, return_trajectory=return_trajectory, callback=callback)


@torch.no_grad()
def noise_of_sets(
    pipe: GaussianDiffusion,
    splats: Splats,
    *,
    own: Mapping[str, Any] | None = None,
    num_inference_steps: int = STEPS,
) -> Float[Tensor, "n k f"]:
    """The noise that the model makes sets of, see `diffusion.inversion`.

    Args:
        own: class_labels or conditions that the sets show.

    Raises:
        InputError: as `transfer`.
    """
    clean = latents_of(pipe, splats)
    run = edit_run(pipe, len(splats), 0, {**(own or {}), "num_inference_steps": num_inference_steps})
    run = replace(run, sampler=Resampling(fine_levels(pipe.scheduler), 1), guidance=Guidance())

    @torch.no_grad()
    def inverted(part: Run) -> Tensor:
        assert run.sampler is not None
        scheduler = prepared(run.sampler, run.steps)
        return invert(chunk_denoiser(pipe, part), scheduler, rows(clean, part, pipe))[: len(part.conditions)]

    return torch.cat([*side_by_side(inverted, run.chunks(pipe.chunk_size), pipe.threads)])
