"""Guidance by a picture: the clean estimate of every step is moved toward sets that look like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.data.framed import frame_pixels
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.diffusion.sampling import Steer
from gaussiandiffusion.edit.sets_in import mode_of, splats_of_model
from gaussiandiffusion.edit.states import Beginning, edit_run, edited, number
from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import premultiplied
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput, Run
from gaussiandiffusion.pipeline.output import Callback
from gaussiandiffusion.rendering import FOOTPRINT, accumulate
from gaussiandiffusion.rendering.grid import to_picture
from gaussiandiffusion.representation import SplatRepresentation

PULL = 1.0
MOVES, LENGTH = 6, 0.05  # Adam steps at each step of the sampler, and how far one goes in deviations of the latents


@dataclass(frozen=True, eq=False)
class Target:
    """A picture to be led to.

    Args:
        picture: one, in any form that `encode` takes, of the canvas's size.
        pull: how strongly, > 0; at 1 the picture's masses are met and the model's strokes kept.
        where: pixels that count; default: all.
    """

    picture: Any
    pull: float = PULL
    where: Bool[Tensor, "h w"] | None = None


def guide(
    pipe: GaussianDiffusion,
    target: Target,
    num_samples: int = 1,
    seed: int = 0,
    *,
    return_trajectory: bool = False,
    callback: Callback | None = None,
    **request: Any,
) -> GaussianDiffusionOutput:
    """Samples that look like a picture, as far as the model knows any.

    Args:
        pipe: a model of splats.
        target: the picture.
        num_samples: N.
        seed: sample i depends on (seed, i) alone.
        return_trajectory, callback: as for a sample.
        request: class_labels or conditions (left open where not given) and what else a sample is asked by.

    Raises:
        InputError: a picture of another size or kind, a pull that is none, or what a sample would be refused for.
    """
    splats_of_model(pipe)
    run = edit_run(pipe, num_samples, seed, request)
    _pixels(pipe, target)  # refuses a wrong one at once
    return edited(
        pipe,
        run,
        lambda part: Beginning(steer=towards(pipe, target, part)),
        return_trajectory=return_trajectory,
        callback=callback,
    )


def towards(pipe: GaussianDiffusion, target: Target, part: Run) -> Steer:
    """Moves the clean estimates of a chunk toward a picture, by the gradient of their drawing.

    No gradient goes through the network: the estimates are moved where they are, by as much less as there is less
    noise to correct what was moved.

    Source: He et al., "Manifold Preserving Guided Diffusion", ICLR 2024, algorithm 1, with Adam's steps.
    """
    representation, length = splats_of_model(pipe), LENGTH * number("pull", target.pull, 1e-6, 100)
    goal = _pixels(pipe, target)
    counted = torch.ones(goal.shape[-2:]) if target.where is None else target.where.float()
    counted = counted.to(pipe.device)

    @torch.enable_grad()
    def steer(clean: Float[Tensor, "n ..."], time: float) -> Float[Tensor, "n ..."]:
        moved = clean.detach().clone().requires_grad_(True)
        optimizer = torch.optim.Adam([moved], lr=length * time)
        for _ in range(MOVES):
            picture = _sums(representation, moved)
            seen = torch.where(((picture > 1) & (goal == 1)) | ((picture < 0) & (goal == 0)), goal, picture)
            loss = ((seen - goal).square() * counted).flatten(1).mean(1).sum()
            (moved.grad,) = torch.autograd.grad(loss, [moved])
            optimizer.step()
        return moved.detach()

    return steer


def _pixels(pipe: GaussianDiffusion, target: Target) -> Float[Tensor, "1 c h w"]:
    """The picture in [0, 1], colours times alpha, on the model's device."""
    canvas = splats_of_model(pipe).canvas
    pixels = as_pixels(target.picture)
    if len(pixels) != 1 or pixels.shape[2:] != (canvas.height, canvas.width):
        raise InputError(
            f"the target must be one picture of {canvas.width}x{canvas.height} pixels, the model's canvas, "
            f"not {len(pixels)} of {pixels.shape[3]}x{pixels.shape[2]}; scale it first"
        )
    if target.where is not None and tuple(target.where.shape) != (canvas.height, canvas.width):
        raise InputError(f"the pixels that count must be a mask of {canvas.height} rows and {canvas.width} columns")
    framed = premultiplied(frame_pixels(pixels, Framing(mode=mode_of(canvas))))
    return torch.from_numpy(framed).to(pipe.device).float() / 255


def _sums(representation: SplatRepresentation, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n c h w"]:
    """Pictures before they are clamped."""
    splats = representation.from_latent(latent)
    sums = accumulate(splats, cutoff=FOOTPRINT, backend="cpu" if latent.device.type == "cpu" else "reference")
    return to_picture(sums, "soft") if splats.output == "soft" else sums
