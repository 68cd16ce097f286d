"""`GaussianDiffusion`: noise -> splat sets -> pictures, and a model's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion import Scheduler, State, make_scheduler
from gaussiandiffusion.diffusion.sampling import Project, Steer
from gaussiandiffusion.ground.attributes import Absent, ConditionSpec
from gaussiandiffusion.ground.component import Config
from gaussiandiffusion.ground.conditions import Conditions, Request
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.ground.threads import side_by_side, step_by_step
from gaussiandiffusion.models import Network
from gaussiandiffusion.pipeline import registry
from gaussiandiffusion.pipeline.bundled import resolve_model
from gaussiandiffusion.pipeline.chunks import chunk_size as chunk_by_device
from gaussiandiffusion.pipeline.output import OUTPUT_TYPES, Callback, GaussianDiffusionOutput, SampleState, generated
from gaussiandiffusion.pipeline.request import Labels, Run, check_fit, checked_run, chunk_states
from gaussiandiffusion.representation import Representation

LAUNCHERS = 2  # threads that feed an accelerator: one makes noise while the other's chunk is computed

Own = TypeVar("Own", bound="GaussianDiffusion")


class GaussianDiffusion:
    """Generate splat sets, or with a baseline's model pixels. One model may serve several threads.

    `GaussianDiffusionPipeline` is the same as a pipeline of diffusers; that needs diffusers' import, this does not.

    Args:
        denoiser: `GaussianTransformer`, or a baseline's network.
        representation: its seam to images (`SplatRepresentation`, `PixelRepresentation`).
        scheduler: ours or any of diffusers' that integrates the model's prediction; `with_scheduler` swaps it.
        num_inference_steps, guidance_scale: defaults of a call, chosen when the model was made.
        chunk_size: samples the network sees at once. Fixed, the last chunk padded, so that a sample is the same however
            many are asked for; default: by device, see `chunks.chunk_size`.
        latent_space: checksum of the representation that the network was trained in; None: this one.
        absent: which values of its attributes never come together, as `ConditionSpec.absent` says; None: not recorded.

    Raises:
        InputError: a network and a representation that do not belong together.
    """

    denoiser: Network
    representation: Representation[Any]
    scheduler: Scheduler

    def __init__(
        self,
        denoiser: Network,
        representation: Representation[Any],
        scheduler: Scheduler,
        num_inference_steps: int = 10,
        guidance_scale: float = 1.0,
        chunk_size: int | None = None,
        latent_space: str | None = None,
        absent: Absent | None = None,
    ) -> None:
        self._spec = replace(denoiser.condition_spec, absent=absent or {})
        found = check_fit(denoiser, representation, latent_space)
        self.denoiser, self.representation, self.scheduler = denoiser, representation, scheduler
        self._defaults: dict[str, Any] = {
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "chunk_size": chunk_size,
            "latent_space": found,
            "absent": absent or None,
        }

    @property
    def components(self) -> dict[str, Any]:
        """What it is made of, by name."""
        return {"denoiser": self.denoiser, "representation": self.representation, "scheduler": self.scheduler}

    @property
    def config(self) -> Config:
        """What the index of its folder says: the components' classes, and the defaults of a call."""
        return Config(registry.component_names(**self.components) | self._defaults)

    @property
    def weights_sha256(self) -> str:
        """Checksum of its weights and latent statistics."""
        return weights_sha256(self.denoiser.state_dict(), self.representation.state_dict())

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.denoiser.device

    def to(self: Own, *args: Any, **kwargs: Any) -> Own:
        """Bring the components elsewhere, as `torch.nn.Module.to`; pictures stay in float32 whatever the network is."""
        self.denoiser.to(*args, **kwargs)
        self.representation.to(*args, **kwargs)
        return self

    @classmethod
    def from_pretrained(
        cls: type[Own], name: str | os.PathLike[str], dtype: torch.dtype | None = None, **kwargs: Any
    ) -> Own:
        """Load a model: an existing folder, a bundled name ("mnist"), or owner/name on the Hub.

        Args:
            dtype: of the network, such as torch.bfloat16 (also as `torch_dtype`); pictures stay in float32.
            kwargs: components or defaults to take instead of the saved ones.

        Raises:
            InputError: no such model, or a damaged or foreign folder.
        """
        dtype = kwargs.pop("torch_dtype", None) or dtype or torch.float32
        folder = resolve_model(name)
        arguments = registry.load_arguments(folder, dtype, kwargs)
        try:
            return cls(**(arguments | kwargs))
        except InputError as error:
            raise InputError(f"{folder}: {error}") from error

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write a model's folder: a folder for each component, and the index."""
        folder = Path(folder)
        for name, component in self.components.items():
            component.save_pretrained(folder / name)
        registry.write_index(folder, self.config)

    @property
    def condition_spec(self) -> ConditionSpec:
        """What samples can be asked to be."""
        return self._spec

    @property
    def num_classes(self) -> int:
        """Values of the only attribute; 0 where there is none, or several."""
        sizes = self.condition_spec.sizes
        return sizes[0] if len(sizes) == 1 else 0

    @property
    def chunk_size(self) -> int:
        """Samples that the network denoises at once."""
        return self._defaults["chunk_size"] or chunk_by_device(self.denoiser.device.type, self.denoiser)

    @property
    def threads(self) -> int | None:
        """Threads that compute chunks side by side; None: as many as are worth starting."""
        return None if self.device.type == "cpu" else LAUNCHERS

    def with_scheduler(self: Own, name: str) -> Own:
        """The same model with another sampler (see `diffusion.schedulers.SAMPLERS`)."""
        return type(self)(self.denoiser, self.representation, make_scheduler(name, self.scheduler), **self._defaults)

    @torch.no_grad()
    def __call__(
        self,
        num_samples: int = 1,
        class_labels: Labels = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        guidance_interval: tuple[float, float] = (0.0, 1.0),
        weaker: GaussianDiffusion | None = None,
        seed: int = 0,
        eta: float = 0.0,
        size: int | tuple[int, int] | None = None,
        output_type: str = "pt",
        return_trajectory: bool = False,
        callback: Callback | None = None,
        first_sample: int = 0,
        conditions: Request | Conditions | None = None,
        noise_samples: Sequence[int] | None = None,
    ) -> GaussianDiffusionOutput:
        """Generate.

        Args:
            num_samples: N >= 1.
            class_labels: one class for all, or one each, by name or number (models with one attribute).
            num_inference_steps: steps of the sampler; default: the model's.
            guidance_scale: classifier-free guidance, 1 = off; default: the model's.
            guidance_interval: times (0: data, 1: noise) between which it applies, see `Guidance`.
            weaker: a less trained or smaller model to guide away from, see `Guidance`.
            seed: sample i depends on (seed, i) alone.
            eta: share of fresh noise in DDIM, 0 to 1.
            size: pixels of the pictures; default: the canvas.
            output_type: "pt" (tensor [N, C, H, W]), "np" (array [N, H, W, C]) or "pil".
            return_trajectory: keep the sets after each step.
            callback: called with the `SampleState` after each step of each chunk; chunks are made side by side, but it
                is told of one step at a time.
            first_sample: index of the first sample, to go on after another call; a multiple of the chunk size.
            conditions: attribute -> value, one for all or one each; None leaves it open, what is not named is drawn
                by seed (a single attribute runs through its values in turn).
            noise_samples: numbers of the samples whose noise each one has; equal numbers make samples that differ in
                what is asked alone, such as the frames of one character. Default: its own.

        Raises:
            InputError: counts, conditions, steps or guidance that this model cannot take.
        """
        if output_type not in OUTPUT_TYPES:
            raise InputError(f"unknown output_type '{output_type}'; choose {' or '.join(OUTPUT_TYPES)}")
        run = checked_run(
            self, num_samples, class_labels, conditions, num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale, guidance_interval=guidance_interval, weaker=weaker, seed=seed, eta=eta,
            first_sample=first_sample, noise_samples=noise_samples,
        )  # fmt: skip
        over = partial(side_by_side, threads=self.threads)
        return generated(self._chunks(run), run.conditions, size, output_type, return_trajectory, callback, over)

    def stream(self, num_samples: int = 1, class_labels: Labels = None, **request: Any) -> Iterator[SampleState]:
        """Every state as it is made, noise first; chunk after chunk.

        Args:
            request: the other arguments of `__call__`, but for those of its output.

        Raises:
            InputError: at once, as `__call__`.
        """
        run = checked_run(self, num_samples, class_labels, **request)
        states = (state for chunk in self._chunks(run) for state in chunk)
        return step_by_step(states) if self.device.type == "cpu" else states

    def _chunks(self, run: Run) -> Iterator[Iterator[SampleState]]:
        """Chunk after chunk, the states of each."""
        return (self._chunk(part) for part in run.chunks(self.chunk_size))

    def _chunk(self, part: Run) -> Iterator[SampleState]:
        count = len(part.conditions)
        return (SampleState(part.first, count, state, self.representation) for state in self.states(part))

    def states(
        self,
        run: Run,
        *,
        latent: Float[Tensor, "n ..."] | None = None,
        start: float = 1.0,
        project: Project | None = None,
        steer: Steer | None = None,
    ) -> Iterator[State]:
        """States of one chunk of samples, padding included.

        Args:
            run: with conditions of at most `chunk_size` samples.
            latent, start, project, steer: see `diffusion.sample`; default: each sample's own noise.
        """
        made = chunk_states(self, run, latent, start, project, steer)
        while (state := _without_gradients(made)) is not None:
            yield state


@torch.no_grad()
def _without_gradients(states: Iterator[State]) -> State | None:
    """The next one, if any; the caller's mode is its own between them."""
    return next(states, None)
