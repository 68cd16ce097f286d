"""What a pipeline gives: the samples, and on the way to them their states."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from PIL import Image
from torch import Tensor

from gaussiandiffusion.diffusion import State
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import notebook
from gaussiandiffusion.rendering.media import to_image
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.splats import Splats


@dataclass(repr=False)
class GaussianDiffusionOutput:
    """Generated samples; also by name or position, as diffusers' outputs are (`out["images"]`, `out[0]`).

    Notebooks show the samples, and with a trajectory a slider over its states.

    Attributes:
        images: as asked by `output_type`: a tensor [N, C, H, W] in [0, 1], an array [N, H, W, C] of the same, or PIL.
        splats: the sets; None from a model of pixels.
        labels: int64 [N] where there is one attribute, as `class_labels` takes them; None otherwise.
        trajectory: on request the sets (or images) after each step, noise first.
        conditions: what each sample was asked to be; None from an unconditional model.
    """

    images: Any  # by the request one or the other, as diffusers has it
    splats: Splats | None = None
    labels: Int64[Tensor, " n"] | None = None
    trajectory: list[Splats] | list[Tensor] | None = None
    conditions: Conditions | None = None

    def __getitem__(self, key: str | int | slice) -> Any:
        return getattr(self, key) if isinstance(key, str) else self.to_tuple()[key]

    @property
    def pil(self) -> list[Image.Image]:
        """The images as PIL images (L, RGB or RGBA), whatever was asked for."""
        return list(self.images) if isinstance(self.images, list) else to_pil(notebook.nchw(self.images))

    def __repr__(self) -> str:
        return notebook.words(self)

    def _repr_png_(self) -> bytes | None:
        return notebook.output_png(self)

    def _repr_html_(self) -> str | None:
        return notebook.output_page(self)

    def to_tuple(self) -> tuple[Any, ...]:
        """All that is there, in order."""
        return tuple(value for value in vars(self).values() if value is not None)


@dataclass(frozen=True, eq=False, repr=False)
class SampleState:
    """A chunk of samples after a step; sets and pictures are made when asked for.

    Attributes:
        first: index of the chunk's first sample.
        count: samples in it.
        state: of the sampler, padding included; its latents are those of the network.
    """

    first: int
    count: int
    state: State
    representation: Representation[Any]

    @property
    def step(self) -> int:
        """Steps done; 0: the noise."""
        return self.state.step

    @property
    def steps(self) -> int:
        return self.state.steps

    @property
    def time(self) -> float:
        """Share of noise left, 1 to 0."""
        return self.state.time

    # Decoded and drawn with the padding too: vectorised exp rounds by an element's place in its block.
    @cached_property
    def padded(self) -> Any:
        """What the noisy latents show, padding included."""
        return self.representation.from_latent(self.state.latent)

    @property
    def shown(self) -> Any:
        """The noisy samples: `Splats`, or images."""
        return self.representation.part(self.padded, slice(self.count))

    @property
    def splats(self) -> Splats | None:
        """The noisy sets; None from a model of pixels."""
        return self.representation.splats_of(self.shown)

    @cached_property
    def clean(self) -> Any:
        """What the samples would be if the last step's estimate were true: `Splats`, or images."""
        return self.representation.part(self.representation.from_latent(self.state.clean), slice(self.count))

    def images(self, size: int | tuple[int, int] | None = None) -> Float[Tensor, "n c h w"]:
        """Pictures of the noisy samples."""
        return self.representation.draw(self.padded, size)[: self.count]

    def clean_images(self, size: int | tuple[int, int] | None = None) -> Float[Tensor, "n c h w"]:
        """Pictures of `clean`."""
        return self.representation.draw(self.clean, size)

    def __repr__(self) -> str:
        last = self.first + self.count - 1
        return f"SampleState(step {self.step} of {self.steps}, time {self.time:.3f}, samples {self.first} to {last})"

    def _repr_png_(self) -> bytes | None:
        return notebook.state_png(self)


Callback = Callable[[SampleState], object]


def generated(
    chunks: Iterable[Iterable[SampleState]],
    conditions: Conditions,
    size: int | tuple[int, int] | None,
    output_type: str,
    keep: bool,
    callback: Callback | None,
    over: Callable[..., Iterable[Any]],
) -> GaussianDiffusionOutput:
    """The samples that chunks of states end in; arguments as `GaussianDiffusion.__call__`.

    Args:
        chunks: each the states of some samples.
        keep: a trajectory of every state.
        over: applies a function to every chunk, side by side; the callback is told of one step at a time.
    """
    told, stopped = threading.Lock(), threading.Event()

    @torch.no_grad()
    def finish(states: Iterable[SampleState]) -> tuple[Tensor, list[Any], Representation[Any]] | None:
        kept: list[SampleState] = []
        for state in states:
            if stopped.is_set():
                return None
            kept = [*kept, state] if keep else [state]
            if callback is not None and state.step > 0:
                with told:
                    callback(state)
        return kept[-1].images(size), [state.shown for state in kept], kept[-1].representation

    try:
        pictures, shown, (representation, *_) = zip(*over(finish, chunks), strict=True)
    finally:
        stopped.set()  # an interrupted call does not wait for the other chunks' last steps
    trajectory = [representation.join(list(parts)) for parts in zip(*shown, strict=True)]
    images = torch.cat(pictures)
    return GaussianDiffusionOutput(
        images=_OUTPUTS[output_type](images),
        splats=representation.splats_of(trajectory[-1]),
        labels=conditions.class_numbers,
        trajectory=trajectory if keep else None,
        conditions=conditions if conditions.spec else None,
    )


def to_numpy(images: Float[Tensor, "n c h w"]) -> Float[ndarray, "n h w c"]:
    """Pictures as diffusers' "np" has them: channels last, in [0, 1]."""
    return images.permute(0, 2, 3, 1).float().cpu().numpy()


def to_pil(images: Float[Tensor, "n c h w"]) -> list[Image.Image]:
    """Pictures as PIL images."""
    return [to_image(picture) for picture in to_uint8(images)]


_OUTPUTS: dict[str, Callable[[Tensor], Any]] = {"pt": lambda images: images, "np": to_numpy, "pil": to_pil}
OUTPUT_TYPES = tuple(_OUTPUTS)
