"""What an image costs to generate, by a model and by its rivals: the paper's table 2, counted and timed again.

Every side is a network, the representation it works in, and the passes of it that make an image. Operations are
counted; one pass and one drawing are timed, all sides in turn, and the image's time is extrapolated from them.
Rivals are untrained: what weights say does not change what they cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gaussiandiffusion.diffusion import Guidance, passes
from gaussiandiffusion.evaluation.cost.cost_report import TRUSTED_REPEATS, CostRow
from gaussiandiffusion.evaluation.cost.flops import parameter_count, pass_flops, pass_inputs
from gaussiandiffusion.evaluation.cost.timing import median_seconds, synchronise
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import Network, make_network
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation
from gaussiandiffusion.splats import Canvas


@dataclass(frozen=True)
class Rival:
    """A network to hold a model against, on the model's canvas.

    Attributes:
        name: of the row.
        size: of the network, see `make_network`.
        steps: of its sampler, one pass each.
        num_splats: K of a splat transformer; 0: pixels.
        channels: of the splats' colours; 0, and for pixels: the canvas's.
        patch: pixels on a side of a token; 0: whole images.
        like_model: has the model's classes and guidance; published networks have neither.
    """

    name: str
    size: str
    steps: int
    num_splats: int = 0
    channels: int = 0
    patch: int = 0
    like_model: bool = False


RIVALS = (
    Rival("published pixel U-Net", "unet-paper", 1000),
    Rival("published splats, 8 blocks", "paper", 200, num_splats=150, channels=3),
    Rival("published splats, 6 blocks", "paper-6", 200, num_splats=150, channels=3),
    Rival("follow-up's splats, 6 blocks", "paper-6", 200, num_splats=70, channels=1),
    Rival("small pixel U-Net", "unet", 10, like_model=True),
    Rival("patches of 4x4 pixels", "small", 10, patch=4, like_model=True),
)


@dataclass(frozen=True)
class Side:
    """A network and what it takes to make an image with it.

    Attributes:
        name: of the row.
        network: what denoises.
        representation: its seam to images.
        steps: of the sampler.
        guidance_scale: 1 = off.
        passes: of the network per image; guidance takes two.
        trained: whether the weights are a model's.
    """

    name: str
    network: Network
    representation: Representation[Any]
    steps: int
    guidance_scale: float
    passes: int
    trained: bool = False


def comparison(
    name: str, pipeline: GaussianDiffusion, rivals: Sequence[Rival] = RIVALS, seed: int = 0
) -> tuple[list[Side], dict[str, str]]:
    """A model at its own steps and guidance, its rivals on its device, and why the others are left out.

    Args:
        name: of the model's row.
        seed: of the rivals' weights, which are drawn without touching the global generator.
    """
    config, spec = pipeline.config, pipeline.condition_spec
    device = pipeline.denoiser.device
    scale = config.guidance_scale if spec else 1.0
    sides = [
        Side(
            name, pipeline.denoiser, pipeline.representation, config.num_inference_steps, scale,
            passes(pipeline.scheduler, config.num_inference_steps, Guidance(scale)), trained=True,
        )
    ]  # fmt: skip
    left_out: dict[str, str] = {}
    with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU
        torch.default_generator.manual_seed(seed)
        for rival in rivals:
            try:
                side = rival_side(rival, pipeline.representation.canvas, spec, scale)
            except InputError as error:
                left_out[rival.name] = str(error)
                continue
            side.network.to(device).eval()
            side.representation.to(device)
            sides.append(side)
    return sides, left_out


def rival_side(rival: Rival, canvas: Canvas, spec: ConditionSpec, guidance_scale: float) -> Side:
    """A rival with new weights.

    Args:
        spec, guidance_scale: of the model it is held against.

    Raises:
        InputError: a canvas that the rival cannot work on.
    """
    if not rival.like_model:
        spec, guidance_scale = ConditionSpec({}), 1.0
    channels = rival.channels or canvas.channels
    representation: Representation[Any]
    if rival.num_splats:
        encoder = {"num_splats": rival.num_splats}
        representation = SplatRepresentation(canvas.height, canvas.width, channels, encoder, per_slot=False)
    else:
        representation = PixelRepresentation(canvas.height, canvas.width, canvas.channels, rival.patch)
    anchors = representation.anchors
    network = make_network(
        rival.size,
        representation.latent_shape,
        conditions=spec,
        num_anchor_features=0 if anchors is None else anchors.shape[1],
    )
    needed = rival.steps * (1 if guidance_scale == 1 else 2)
    return Side(rival.name, network, representation, rival.steps, guidance_scale, needed)


def profile(
    sides: Sequence[Side],
    *,
    batch_size: int = 4,
    repeats: int = TRUSTED_REPEATS,
    progress: Callable[[], object] = lambda: None,
) -> list[CostRow]:
    """Count and time all sides in one run.

    Args:
        sides: on one device.
        batch_size: images per timed pass and drawing.
        repeats: timed rounds, after one that is not counted.
        progress: called as often as `timed_works` says.
    """
    works: dict[tuple[int, str], Callable[[], object]] = {}
    for i, side in enumerate(sides):
        works[i, "pass"] = _pass(side, batch_size)
        if _draws(side):
            works[i, "draw"] = _drawing(side, batch_size)
    with torch.inference_mode():
        seconds = median_seconds(works, repeats, progress=progress)
    per_image = {key: 1000 * value / batch_size for key, value in seconds.items()}  # in milliseconds
    return [_row(side, per_image[i, "pass"], per_image.get((i, "draw"), 0.0)) for i, side in enumerate(sides)]


def timed_works(sides: Sequence[Side], repeats: int) -> int:
    """Passes and drawings that `profile` makes."""
    return (repeats + 1) * sum(1 + _draws(side) for side in sides)


def _draws(side: Side) -> bool:
    """Splats have to be drawn; pixels are there."""
    return side.representation.kind == "splats"


def _pass(side: Side, batch_size: int) -> Callable[[], object]:
    inputs = pass_inputs(side.network, side.representation, batch_size)

    def work() -> None:
        side.network(*inputs)
        synchronise(inputs[0].device)

    return work


def _drawing(side: Side, batch_size: int) -> Callable[[], object]:
    """Sets of noise: so few are drawn by visiting every pair of splat and pixel, wherever the splats lie."""
    noise, *_ = pass_inputs(side.network, side.representation, batch_size)

    def work() -> None:
        side.representation.draw(side.representation.from_latent(noise))
        synchronise(noise.device)

    return work


def _row(side: Side, one_pass: float, drawing: float) -> CostRow:
    """Args: one_pass, drawing: milliseconds per image."""
    shape = tuple(side.representation.latent_shape)
    flops = pass_flops(side.network, side.representation)
    return CostRow(
        name=side.name,
        representation=side.representation.kind,
        latent_shape=shape,
        tokens=shape[0] if len(shape) == 2 else None,
        parameters=parameter_count(side.network),
        steps=side.steps,
        guidance_scale=side.guidance_scale,
        passes=side.passes,
        flops_per_pass=flops,
        flops_per_image=flops * side.passes,
        milliseconds_per_pass=one_pass,
        render_milliseconds=drawing,
        seconds_per_image=(side.passes * one_pass + drawing) / 1000,
        trained=side.trained,
    )
