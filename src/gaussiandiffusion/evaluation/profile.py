"""What an image costs to generate, by a model and by its rivals: the paper's table 2, counted and timed again.

Every side is a network, the representation it works in, and the evaluations of it that make an image. Operations are
counted; one evaluation and one drawing are timed, all sides in turn, and the image's time is extrapolated from them.
Rivals are untrained: what weights say does not change what they cost.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gaussiandiffusion.errors import InputError
from gaussiandiffusion.evaluation.compute import evaluation_flops, evaluation_inputs, parameter_count
from gaussiandiffusion.evaluation.report import library_versions, machine_words
from gaussiandiffusion.evaluation.timing import median_seconds, synchronise
from gaussiandiffusion.files import write_json
from gaussiandiffusion.models import make_denoiser
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, steps_per_chunk
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation
from gaussiandiffusion.splats import Canvas

# What the paper prints, to be held against the rows.
PRINTED: dict[str, Any] = {
    "source": "Coessens and Samal, 'GaussianDiffusion: Learning Image Generation Process in GaussianRepresentation "
    "Space', SP4V workshop at ICCV 2025, table 2",
    "rows": [
        {"name": "pixel U-Net", "parameters": 38_000_000, "gflops_per_step": 11.4, "steps": 1000},
        {"name": "splat transformer", "parameters": 40_000_000, "gflops_per_step": 4.0, "steps": 200},
    ],
    "seconds_ratio": 22,
    "note": "The ratio is of generation times on an A100 GPU; the printed GFLOPs times steps stand 14 to 1. Whether a "
    "multiply-add counts as one operation or two is not said. The transformer's parameters are 'about 40M': its layout "
    "has 41.6M with 6 blocks, 55M with the 8 that are printed.",
}
NOTES = (
    "2 operations per multiply-add; matrix products and convolutions only.",
    "Milliseconds are medians, all sides in turn after one round that is not counted, per image of a batch.",
    "Seconds per image are extrapolated: an evaluation's median times the evaluations, and one drawing; the sampler's "
    "own arithmetic between evaluations is left out.",
    "Guidance takes two evaluations a step.",
    "All networks but the first row's are untrained, which changes no cost.",
)
TRUSTED_REPEATS = 20  # timed evaluations below which medians are a trial, not a result


@dataclass(frozen=True)
class Rival:
    """A network to hold a model against, on the model's canvas.

    Attributes:
        name: of the row.
        size: of the network, see `make_denoiser`.
        steps: of its sampler, one evaluation each.
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
        network: a denoiser.
        representation: its seam to images.
        steps: of the sampler.
        guidance_scale: 1 = off.
        evaluations: of the network per image; guidance counts double.
        trained: whether the weights are a model's.
    """

    name: str
    network: Any
    representation: Any
    steps: int
    guidance_scale: float
    evaluations: int
    trained: bool = False


@dataclass(frozen=True)
class CostRow:
    """What one side costs.

    Attributes:
        name: of the row.
        representation: "splats" or "pixels".
        latent_shape: (K, F), or (C, H, W).
        tokens: K; None for whole images.
        parameters: weights of the network.
        steps: of the sampler.
        guidance_scale: 1 = off.
        evaluations: of the network per image; guidance counts double.
        flops_per_evaluation: of one image, 2 per multiply-add.
        flops_per_image: of all evaluations.
        milliseconds_per_evaluation: per image of a batch; median.
        render_milliseconds: from latent to picture, per image of a batch; median; 0 for pixels.
        seconds_per_image: evaluations and drawing.
        trained: whether the weights are a model's.
        extrapolated: `seconds_per_image` is computed from the medians, not timed whole.
    """

    name: str
    representation: str
    latent_shape: tuple[int, ...]
    tokens: int | None
    parameters: int
    steps: int
    guidance_scale: float
    evaluations: int
    flops_per_evaluation: int
    flops_per_image: int
    milliseconds_per_evaluation: float
    render_milliseconds: float
    seconds_per_image: float
    trained: bool
    extrapolated: bool = True


@dataclass(frozen=True)
class CostReport:
    """The rows of a run, the model's first, and everything needed to read and repeat them.

    Attributes:
        model: name or folder.
        canvas: (height, width, channels).
        device: kind of device that computed.
        batch_size: images per timed evaluation.
        repeats: timed evaluations of every row.
        rows: the model's, then its rivals'.
        left_out: why rivals are missing, by name.
        machine, versions: as in `EvaluationReport`.
    """

    model: str
    canvas: tuple[int, int, int]
    device: str
    batch_size: int
    repeats: int
    rows: list[CostRow]
    left_out: dict[str, str]
    machine: dict[str, Any]
    versions: dict[str, str]

    @classmethod
    def of(
        cls,
        model: str,
        pipeline: GaussianDiffusionPipeline,
        rows: list[CostRow],
        left_out: dict[str, str],
        *,
        batch_size: int,
        repeats: int,
    ) -> CostReport:
        """Rows of `profile` with the circumstances they were made in."""
        canvas = pipeline.representation.canvas
        return cls(
            model=model,
            canvas=(canvas.height, canvas.width, canvas.channels),
            device=pipeline.denoiser.device.type,
            batch_size=batch_size,
            repeats=repeats,
            rows=rows,
            left_out=left_out,
            machine=machine_words(),
            versions=library_versions(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: rows have `flops_ratio` and `seconds_ratio`, per image over the model's."""
        record = dataclasses.asdict(self)
        model = self.rows[0]
        for row in record["rows"]:
            row["flops_ratio"] = row["flops_per_image"] / model.flops_per_image
            row["seconds_ratio"] = row["seconds_per_image"] / model.seconds_per_image
        return record | {"quick": self.repeats < TRUSTED_REPEATS, "printed": PRINTED, "notes": list(NOTES)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report as JSON.

        Raises:
            InputError: the file cannot be written.
        """
        write_json(Path(path), self.to_dict())


def comparison(
    name: str, pipeline: GaussianDiffusionPipeline, rivals: Sequence[Rival] = RIVALS, seed: int = 0
) -> tuple[list[Side], dict[str, str]]:
    """A model at its own steps and guidance, its rivals on its device, and why the others are left out.

    Args:
        name: of the model's row.
        seed: of the rivals' weights, which are drawn without touching the global generator.
    """
    config, num_classes = pipeline.config, pipeline.num_classes
    device = pipeline.denoiser.device
    evaluations = steps_per_chunk(pipeline.scheduler, config.num_inference_steps)
    scale = config.guidance_scale if num_classes else 1.0
    sides = [
        Side(
            name, pipeline.denoiser, pipeline.representation, config.num_inference_steps, scale,
            evaluations * _evaluations_per_step(scale), trained=True,
        )
    ]  # fmt: skip
    left_out: dict[str, str] = {}
    with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU
        torch.default_generator.manual_seed(seed)
        for rival in rivals:
            try:
                side = rival_side(rival, pipeline.representation.canvas, num_classes, scale)
            except InputError as error:
                left_out[rival.name] = str(error)
                continue
            side.network.to(device).eval()
            side.representation.to(device)
            sides.append(side)
    return sides, left_out


def rival_side(rival: Rival, canvas: Canvas, num_classes: int, guidance_scale: float) -> Side:
    """A rival with new weights.

    Args:
        num_classes, guidance_scale: of the model it is held against.

    Raises:
        InputError: a canvas that the rival cannot work on.
    """
    if not rival.like_model:
        num_classes, guidance_scale = 0, 1.0
    channels = rival.channels or canvas.channels
    representation: Any
    if rival.num_splats:
        encoder = {"num_splats": rival.num_splats}
        representation = SplatRepresentation(canvas.height, canvas.width, channels, encoder, per_slot=False)
    else:
        representation = PixelRepresentation(canvas.height, canvas.width, canvas.channels, rival.patch)
    anchors = representation.anchors
    network = make_denoiser(
        rival.size,
        representation.latent_shape,
        num_classes=num_classes,
        num_anchor_features=0 if anchors is None else anchors.shape[1],
    )
    evaluations = rival.steps * _evaluations_per_step(guidance_scale)
    return Side(rival.name, network, representation, rival.steps, guidance_scale, evaluations)


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
        batch_size: images per timed evaluation and drawing.
        repeats: timed rounds, after one that is not counted.
        progress: called as often as `timed_works` says.
    """
    works: dict[tuple[int, str], Callable[[], object]] = {}
    for i, side in enumerate(sides):
        works[i, "evaluate"] = _evaluation(side, batch_size)
        if _draws(side):
            works[i, "draw"] = _drawing(side, batch_size)
    with torch.inference_mode():
        seconds = median_seconds(works, repeats, progress=progress)
    per_image = {key: 1000 * value / batch_size for key, value in seconds.items()}  # in milliseconds
    return [_row(side, per_image[i, "evaluate"], per_image.get((i, "draw"), 0.0)) for i, side in enumerate(sides)]


def timed_works(sides: Sequence[Side], repeats: int) -> int:
    """Evaluations and drawings that `profile` makes."""
    return (repeats + 1) * sum(1 + _draws(side) for side in sides)


def _evaluations_per_step(guidance_scale: float) -> int:
    return 1 if guidance_scale == 1 else 2


def _draws(side: Side) -> bool:
    """Splats have to be drawn; pixels are there."""
    return side.representation.describe()["kind"] == "splats"


def _evaluation(side: Side, batch_size: int) -> Callable[[], object]:
    inputs = evaluation_inputs(side.network, side.representation, side.network.config.num_classes, batch_size)

    def work() -> None:
        side.network(*inputs)
        synchronise(inputs[0].device)

    return work


def _drawing(side: Side, batch_size: int) -> Callable[[], object]:
    """Sets decoded from noise: so few are drawn by visiting every pair of splat and pixel, wherever the splats lie."""
    noise, *_ = evaluation_inputs(side.network, side.representation, side.network.config.num_classes, batch_size)

    def work() -> None:
        side.representation.draw(side.representation.decode(noise))
        synchronise(noise.device)

    return work


def _row(side: Side, evaluation: float, drawing: float) -> CostRow:
    """Args: evaluation, drawing: milliseconds per image."""
    shape = tuple(side.representation.latent_shape)
    flops = evaluation_flops(side.network, side.representation, side.network.config.num_classes)
    return CostRow(
        name=side.name,
        representation=side.representation.describe()["kind"],
        latent_shape=shape,
        tokens=shape[0] if len(shape) == 2 else None,
        parameters=parameter_count(side.network),
        steps=side.steps,
        guidance_scale=side.guidance_scale,
        evaluations=side.evaluations,
        flops_per_evaluation=flops,
        flops_per_image=flops * side.evaluations,
        milliseconds_per_evaluation=evaluation,
        render_milliseconds=drawing,
        seconds_per_image=(side.evaluations * evaluation + drawing) / 1000,
        trained=side.trained,
    )
