"""`interpolate`: from one sample, set or picture to the next, through the model's noise or from splat to splat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion.resampling import Resampling
from gaussiandiffusion.edit.noise import STEPS, noise_of_sets
from gaussiandiffusion.edit.sets_in import check_sets, splats_of_model
from gaussiandiffusion.edit.states import Beginning, edit_run, edited, fine_levels, rows
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import noise_for
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run
from gaussiandiffusion.pipeline.output import Callback
from gaussiandiffusion.pipeline.request import whole
from gaussiandiffusion.rendering import render
from gaussiandiffusion.representation.interpolation import between
from gaussiandiffusion.splats import Splats

FRAMES = 9

Through = Literal["noise", "sets"]
End = Splats | int


def interpolate(
    pipe: GaussianDiffusion | None,
    ends: Sequence[End],
    frames: int = FRAMES,
    *,
    through: Through | None = None,
    loop: bool = False,
    callback: Callback | None = None,
    **request: Any,
) -> GaussianDiffusionOutput:
    """Frames on the way from the first end to the last, evenly, both among them.

    Through noise, every frame is a sample of the model: seeds have their noise, sets are led back to theirs
    (`noise_of_sets`), and between two noises it goes along a great circle, where noise is as likely as at the ends.
    Through sets, each splat moves to that of the same slot.

    Args:
        pipe: a model of splats; None: through sets alone.
        ends: at least two: a seed (its sample 0), or a batch of one set.
        frames: F >= 2, in all.
        through: default: noise where there is a model, else sets.
        loop: also go back to the first.
        callback: as for a sample.
        request: class_labels or conditions of the frames (left open where not given), and the rest of a request.

    Raises:
        InputError: fewer than two ends or frames, sets that have nothing between them, or a model that is missing or
            takes none of this.

    Source: Shoemake, "Animating Rotation with Quaternion Curves", 1985 (great circles); White, "Sampling Generative
    Networks", 2016.
    """
    frames = whole("frames", frames, 2)
    ends = [*ends, *ends[:1]] if loop else list(ends)
    if len(ends) < 2:
        raise InputError(f"interpolation needs two ends or more, not {len(ends)}")
    for end in ends:
        _check_end(pipe, end)
    through = through or ("noise" if pipe is not None or any(isinstance(end, int) for end in ends) else "sets")
    if through not in ("noise", "sets"):
        raise InputError(f"interpolation goes through noise or sets, not '{through}'")
    if pipe is None:
        if through == "noise" or any(isinstance(end, int) for end in ends):
            raise InputError("seeds, and ways through noise, need a model; give one, or sets at both ends")
        return _through_sets([end for end in ends if isinstance(end, Splats)], frames)
    if through == "sets":
        own = request if any(isinstance(end, int) for end in ends) else {}
        return _through_sets([_sample(pipe, end, own) for end in ends], frames)
    return _through_noise(pipe, ends, frames, callback, request)


def slerp(
    first: Float[Tensor, "n ..."], second: Float[Tensor, "n ..."], share: Float[Tensor, " n"]
) -> Float[Tensor, "n ..."]:
    """Along the great circle from the first to the second; straight where both lie in one direction."""
    shape = (-1, *[1] * (first.ndim - 1))
    one, other = first.flatten(1), second.flatten(1)
    cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1)).clamp_min(1e-12)
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin()
    straight = sine < 1e-4
    safe = torch.where(straight, torch.ones_like(sine), sine)
    before = torch.where(straight, 1 - share, ((1 - share) * angle).sin() / safe)
    after = torch.where(straight, share, (share * angle).sin() / safe)
    return before.view(shape) * first + after.view(shape) * second


def _check_end(pipe: GaussianDiffusion | None, end: End) -> None:
    if not isinstance(end, Splats):
        whole("a seed", end, 0)
    elif len(end) != 1:
        raise InputError(f"an end is one set, not {len(end)}; choose one, as splats[0]")
    elif pipe is not None:
        check_sets(pipe, end)
    else:
        end.validate("the sets")


def _shares(count: int, frames: int) -> tuple[Tensor, Tensor]:
    """For each frame the end before it, and its share of the way to the next."""
    places = torch.linspace(0, count - 1, frames, dtype=torch.float64)
    before = places.floor().long().clamp_max(count - 2)
    return before, (places - before).float()


def _through_sets(ends: list[Splats], frames: int) -> GaussianDiffusionOutput:
    for one, other in pairwise(ends):
        between(one, other, torch.zeros(1))  # refuses ends that have nothing between them
    before, share = _shares(len(ends), frames)
    every = Splats.cat([_folded(end) for end in ends])
    splats = between(every[before], every[before + 1], share)
    return GaussianDiffusionOutput(images=render(splats), splats=splats)


def _folded(end: Splats) -> Splats:
    """The same without opacities."""
    if end.opacities is None:
        return end
    return replace(end, colors=end.colors * end.opacities[..., None], opacities=None)


def _sample(pipe: GaussianDiffusion, end: End, request: dict[str, Any]) -> Splats:
    if isinstance(end, Splats):
        return end
    run = edit_run(pipe, 1, end, request)
    splats = edited(pipe, run, lambda part: Beginning()).splats
    assert splats is not None  # of a model of splats
    return splats


def _through_noise(
    pipe: GaussianDiffusion, ends: list[End], frames: int, callback: Callback | None, request: dict[str, Any]
) -> GaussianDiffusionOutput:
    splats_of_model(pipe)
    sets = [end for end in ends if isinstance(end, Splats)]
    asked = {name: value for name, value in request.items() if name in ("class_labels", "conditions")}
    if sets:
        request = {"num_inference_steps": STEPS, "guidance_scale": 1.0} | request
    run = edit_run(pipe, frames, 0, request)
    if sets:  # the way back must be the one that was taken
        run = replace(run, sampler=Resampling(fine_levels(pipe.scheduler), 1))
        found = noise_of_sets(pipe, Splats.cat(sets), own=asked, num_inference_steps=run.steps).cpu()
    shape, places = pipe.representation.latent_shape, iter(range(len(sets)))
    noises = torch.cat([
        noise_for(end, 0, 1, shape) if isinstance(end, int) else found[next(places)][None] for end in ends
    ])  # fmt: skip
    before, share = _shares(len(ends), frames)
    noise = slerp(noises[before], noises[before + 1], share)

    def begin(part: Run) -> Beginning:
        return Beginning(rows(noise, part, pipe))

    return edited(pipe, run, begin, callback=callback)
