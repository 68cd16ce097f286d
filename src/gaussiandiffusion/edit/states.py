"""How every edit by a model runs: chunk by chunk over the sampling iterator, like samples that begin elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from gaussiandiffusion.diffusion import Scheduler, prediction_of
from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.sampling import Project, Steer
from gaussiandiffusion.ground.attributes import Value
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import Stream, noise_for, noise_of, seed_for
from gaussiandiffusion.ground.threads import side_by_side
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run, SampleState, checked_run
from gaussiandiffusion.pipeline.output import Callback, generated
from gaussiandiffusion.pipeline.request import whole
from gaussiandiffusion.splats import Splats

LAST_LEVEL = 0.05  # noise share of the last step of edits that must lead back to where they came from


@dataclass(frozen=True, eq=False)
class Beginning:
    """Where the states of a chunk begin, and what is done to them on the way.

    Attributes:
        latent, start, project, steer: see `diffusion.sample`; without a latent, each sample's own noise.
        finish: what becomes of the sets that the last state shows.
    """

    latent: Float[Tensor, "n ..."] | None = None
    start: float = 1.0
    project: Project | None = None
    steer: Steer | None = None
    finish: Callable[[Splats], Splats] | None = None


@dataclass(frozen=True, eq=False)
class EditedState(SampleState):
    """A state of an edit."""

    finish: Callable[[Splats], Splats] | None = None

    @cached_property
    def padded(self) -> Any:
        """What the noisy latents show, padding included; the last ones finished."""
        shown = self.representation.from_latent(self.state.latent)
        return shown if self.finish is None or self.step < self.steps else self.finish(shown)


def edited(
    pipe: GaussianDiffusion,
    run: Run,
    begin: Callable[[Run], Beginning],
    *,
    return_trajectory: bool = False,
    callback: Callback | None = None,
) -> GaussianDiffusionOutput:
    """The samples that edits end in.

    Args:
        run: all of them.
        begin: of each chunk; called in the thread that computes it.
        return_trajectory, callback: as for `GaussianDiffusion.__call__`.
    """

    def states(part: Run) -> Iterator[SampleState]:
        own, count = begin(part), len(part.conditions)
        for state in pipe.states(part, latent=own.latent, start=own.start, project=own.project, steer=own.steer):
            yield EditedState(part.first, count, state, pipe.representation, own.finish)

    chunks = (states(part) for part in run.chunks(pipe.chunk_size))
    over = partial(side_by_side, threads=pipe.threads)
    return generated(chunks, run.conditions, None, "pt", return_trajectory, callback, over)


def edit_seed(seed: int) -> int:
    """The seed of an edit's own noise: that of samples of the same seed would lead samples back to themselves."""
    return seed_for(whole("the seed", seed, 0), Stream.EDIT)


def edit_run(pipe: GaussianDiffusion, count: int, seed: int, request: dict[str, Any]) -> Run:
    """A checked run of `count` edits; attributes that nobody asks for are left open.

    Args:
        seed: of the noise.
        request: arguments of `GaussianDiffusion.__call__` that say how and what: class_labels, conditions,
            num_inference_steps, guidance_scale, guidance_interval, weaker, eta.

    Raises:
        InputError: one that the model cannot take.
    """
    request = dict(request)
    if request.get("class_labels") is None:
        asked = request.get("conditions") or {}
        words: dict[str, Any] = dict(asked.words() if isinstance(asked, Conditions) else asked)
        nothing: dict[str, Value] = dict.fromkeys(pipe.condition_spec.attributes)
        request["conditions"] = nothing | words
    return checked_run(pipe, count, seed=seed, **request)


def rows(values: Shaped[Tensor, "n ..."], part: Run, pipe: GaussianDiffusion) -> Shaped[Tensor, "m ..."]:
    """Of one value for each sample those of a chunk, the last repeated as padding, on the model's device."""
    own = values[part.first : part.first + len(part.conditions)]
    padding = own[-1:].expand(pipe.chunk_size - len(own), *own.shape[1:])
    return torch.cat([own, padding]).to(pipe.device)


def noise_rows(part: Run, pipe: GaussianDiffusion) -> Float[Tensor, "m ..."]:
    """Noise of a chunk's samples, each drawn from (seed, sample) alone."""
    shape, count = pipe.representation.latent_shape, pipe.chunk_size
    if part.noise is None:
        return noise_for(part.seed, part.first, count, shape).to(pipe.device)
    return noise_of(part.seed, part.noise_numbers(count), shape).to(pipe.device)


def fine_levels(scheduler: Scheduler) -> Scheduler:
    """A scheduler whose levels go down to little noise, for ways that must lead back."""
    if prediction_of(scheduler) != "flow":
        return scheduler
    fine: Any = FlowMatchFewStepScheduler(last_level=LAST_LEVEL)
    return fine


def number(name: str, value: object, low: float, high: float) -> float:
    """A number in a range; raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name} must lie between {low:g} and {high:g}, not {value!r:.40}")
    return float(value)
