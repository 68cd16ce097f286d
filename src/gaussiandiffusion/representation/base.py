"""The seam: what everything above knows of a representation, and all it knows."""

from __future__ import annotations

import os
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.component import Config
from gaussiandiffusion.splats import Canvas, Splats

Kind = Literal["splats", "pixels"]
Shown = TypeVar("Shown")  # what a latent stands for: `Splats`, or images
Own = TypeVar("Own")


@runtime_checkable
class Representation(Protocol[Shown]):
    """Images <-> latents, the tensors that a network sees, by way of what is shown: splat sets, or pixels.

    Implementations are `Component`s, saved with the model.
    """

    config: Config

    @property
    def kind(self) -> Kind:
        """What is shown."""

    @property
    def canvas(self) -> Canvas:
        """Size and channels of the images."""

    @property
    def device(self) -> torch.device: ...

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Of one sample: (K, F) for sets of tokens, (C, H, W) for whole images."""

    @property
    def latent_parts(self) -> dict[str, slice]:
        """What the last axis of a latent holds, by name."""

    @property
    def bounded(self) -> bool:
        """Whether the training data's latents lie in [-1, 1]."""

    @property
    def anchors(self) -> Float[Tensor, "k a"] | None:
        """What tells the slots of a set apart; None where nothing does."""

    def to_latent(self, images: UInt8[ndarray, "n c h w"]) -> Float[Tensor, "n ..."]:
        """Latents of 8-bit images."""

    def from_latent(self, latent: Float[Tensor, "n ..."]) -> Shown:
        """What latents stand for; defined for any finite ones."""

    def draw(self, shown: Shown, size: int | tuple[int, int] | None = None) -> Float[Tensor, "n c h w"]:
        """Pictures in [0, 1] of what `from_latent` gave."""

    def join(self, parts: list[Shown]) -> Shown:
        """Batches of what is shown, one after another."""

    def part(self, shown: Shown, index: slice) -> Shown:
        """Some of a batch."""

    def splats_of(self, shown: Shown) -> Splats | None:
        """The sets, on any device; None of pixels."""

    def pictures(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n c h w"]:
        """What `picture_loss` compares: latents' pictures in [0, 1], colours times alpha where there is one."""

    def picture_loss(
        self, latent: Float[Tensor, "n ..."], goal: Float[Tensor, "n c h w"], weights: Float[Tensor, " n"] | None = None
    ) -> Float[Tensor, ""]:
        """Distance of latents' pictures from others, with a gradient for the latents; see `hinge_distance`."""

    def reconstruct(self, images: UInt8[ndarray, "n c h w"]) -> UInt8[ndarray, "n c h w"]:
        """What is left of images that became latents and were drawn again."""

    def describe(self) -> dict[str, Any]:
        """What results say of it."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def to(self: Own, device: torch.device | str) -> Own: ...

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None: ...


def hinge_distance(
    picture: Float[Tensor, "n c h w"], goal: Float[Tensor, "n c h w"], weights: Float[Tensor, " n"] | None = None
) -> Float[Tensor, ""]:
    """Mean squared hinge distance of unclamped pictures to others in [0, 1]: what the clamp hides costs nothing.

    Where the goal is at a bound, a picture beyond that bound is right; elsewhere the distance is plain, and its
    gradient alive even where the picture is out of range (cf. the rendered losses of GaussianCube, 2024).

    Args:
        weights: of the pictures in the mean; default: 1 each.
    """
    low = torch.where(goal > 0, goal, -torch.inf)
    high = torch.where(goal < 1, goal, torch.inf)
    squares = (picture - torch.minimum(torch.maximum(picture.detach(), low), high)).square()
    return squares.mean() if weights is None else (squares.flatten(1).mean(1) * weights).mean()
