"""`inpaint` keeps some splats of sets and makes the rest anew; `complete` keeps all there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.diffusion.resampling import Resampling
from gaussiandiffusion.diffusion.sampling import Project
from gaussiandiffusion.diffusion.schedulers import coefficients
from gaussiandiffusion.edit.selections import mask_pixels
from gaussiandiffusion.edit.sets_in import latents_of
from gaussiandiffusion.edit.slots import DRAWN, in_slots
from gaussiandiffusion.edit.states import Beginning, edit_run, edit_seed, edited, number, rows
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import Stream, generator_for
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run
from gaussiandiffusion.pipeline.output import Callback
from gaussiandiffusion.splats import Splats

ROUNDS = 4  # times that each step is taken: with one, strokes do not meet; beyond four, little changes


def inpaint(
    pipe: GaussianDiffusion,
    splats: Splats,
    keep: Bool[Tensor, "n k"] | Bool[Tensor, "h w"],
    seed: int = 0,
    *,
    rounds: int = ROUNDS,
    until: float = 0.0,
    return_trajectory: bool = False,
    callback: Callback | None = None,
    **request: Any,
) -> GaussianDiffusionOutput:
    """Keep some splats, and let the model make the rest to fit them.

    At every step the kept splats are put where they would be with that share of noise, and every step is taken several
    times, with fresh noise between, so that the rest comes to fit them. At the end they are put back as they were.

    Args:
        pipe: a model of splats.
        splats: N sets in the model's slots.
        keep: splats to keep (`edit.select` finds some); or a mask of the picture, of any size: splats whose centres lie
            where it holds are kept. Each set must keep some splats and lose some.
        seed: result i depends on (seed, i) and set i alone.
        rounds: times that each step is taken; it costs as many times the passes of the network.
        until: time down to which they are held: 0 keeps them bit for bit; above it the model may mend them at last.
        return_trajectory, callback: as for a sample.
        request: class_labels or conditions (left open where not given), num_inference_steps, guidance_scale and what
            else a sample is asked by.

    Raises:
        InputError: nothing or everything is kept, sets that are not the model's kind, or what a sample would be refused
            for.

    Source: Lugmayr et al., "RePaint", CVPR 2022.
    """
    until = number("until", until, 0, 1)
    clean = latents_of(pipe, splats)
    kept = _kept(splats, keep)
    run = edit_run(pipe, len(splats), edit_seed(seed), request)
    run = replace(run, sampler=Resampling(pipe.scheduler, rounds))
    original = splats.to(pipe.device, torch.float32)

    def begin(part: Run) -> Beginning:
        chosen = rows(kept, part, pipe)
        project = _projection(pipe, part, rows(clean, part, pipe), chosen, until)
        finish = _put_back(original[_places(part, pipe)], chosen) if until == 0 else None
        return Beginning(project=project, finish=finish)

    return edited(pipe, run, begin, return_trajectory=return_trajectory, callback=callback)


def complete(
    pipe: GaussianDiffusion, splats: Splats, seed: int = 0, *, drawn: float = DRAWN, **request: Any
) -> GaussianDiffusionOutput:
    """Let the model add what is missing: splats that draw something are kept, the others are made.

    Sets may have fewer splats than the model's, in any order: what is left of a picture's, or a sketch. Each splat is
    put into the slot that suits it best (`in_slots`); the results are in the order of the slots, and hold the kept
    splats bit for bit. Sets in the model's slots keep these. `until` above 0 lets the model mend a rough sketch.

    Args:
        splats: N sets of at most K splats.
        drawn: brightness, opacity included, from which on a splat draws something.
        request: the other arguments of `inpaint`.

    Raises:
        InputError: as `inpaint`, and as `in_slots`.
    """
    given = in_slots(pipe, splats, drawn=drawn)
    return inpaint(pipe, given.splats, given.kept, seed, **request)


def _kept(splats: Splats, keep: Tensor) -> Bool[Tensor, "n k"]:
    """The splats that are kept; raises InputError where those are none or all of a set."""
    kept = keep if tuple(keep.shape) == tuple(splats.rhos.shape) else mask_pixels(splats, keep, "keep")
    for wrong, word, fix in ((~kept.any(1), "nothing", "more"), (kept.all(1), "everything", "less")):
        if bool(wrong.any()):
            at = int(wrong.nonzero()[0, 0])
            raise InputError(f"the selection keeps {word} of set {at}; keep {fix}, so that something is held and "
                             f"something made anew")  # fmt: skip
    return kept


def _projection(
    pipe: GaussianDiffusion,
    part: Run,
    clean: Float[Tensor, "n k f"],
    kept: Bool[Tensor, "n k"],
    until: float,
) -> Project:
    """Kept splats with as much noise as the rest has, drawn anew at every state."""
    generators = [generator_for(part.seed, Stream.EDIT, number) for number in part.noise_numbers(pipe.chunk_size)]
    scheduler, shape = pipe.scheduler, clean.shape[1:]

    def project(latent: Float[Tensor, "n k f"], time: float) -> Float[Tensor, "n k f"]:
        if time < until:
            return latent
        signal, sigma = coefficients(scheduler, time)
        noise = torch.stack([torch.randn(shape, generator=generator) for generator in generators]).to(latent)
        return torch.where(kept[..., None], signal * clean + sigma * noise, latent)

    return project


def _put_back(original: Splats, kept: Bool[Tensor, "n k"]) -> Callable[[Splats], Splats]:
    def finish(made: Splats) -> Splats:
        def chosen(name: str) -> Tensor:
            mask = kept if original.tensors()[name].ndim == 2 else kept[..., None]
            return torch.where(mask, original.tensors()[name], made.tensors()[name])

        values: dict[str, Any] = {name: chosen(name) for name in ("means", "sigmas", "rhos", "colors")}
        if original.opacities is not None:
            values["opacities"] = torch.where(kept, original.opacities, 1.0)
        return replace(made, **values)

    return finish


def _places(part: Run, pipe: GaussianDiffusion) -> Tensor:
    """Numbers of a chunk's samples, the last repeated as padding."""
    count = len(part.conditions)
    return part.first + torch.arange(pipe.chunk_size).clamp_max(count - 1)
