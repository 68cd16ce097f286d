"""Sets as layers: one batch of sets drawn together with another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import (
    FARTHEST,
    Edited,
    Length,
    Operation,
    check_count,
    check_range,
    distance,
)
from gaussiandiffusion.edit.operations.counts import join
from gaussiandiffusion.edit.operations.place import LEAST_FACTOR
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.formats import load_sets


@dataclass(frozen=True)
class Layer(Operation):
    """Draw the sets of a file together with these; its splats are then what is selected.

    Attributes:
        file: of one set, which is laid over every set, or of as many sets.
        x, y: where its centre comes to lie.
        scale: its size; at 1 its longer side is as long as the canvas's.
        below: behind these sets rather than in front, which shows where sets are blended by "alpha".
    """

    name: ClassVar[str] = "layer"
    whole: ClassVar[bool] = True
    file: str
    x: Length = 0.0
    y: Length = 0.0
    scale: float = 1.0
    below: bool = False

    def __post_init__(self) -> None:
        check_range(self.name, LEAST_FACTOR, FARTHEST, scale=self.scale)

    def files(self) -> tuple[str, ...]:
        return (self.file,)

    def located(self, files: Mapping[str, Path]) -> Layer:
        return replace(self, file=str(files.get(self.file, self.file)))

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        dx, dy = (distance(self.name, key, getattr(self, key), splats.canvas) for key in ("x", "y"))
        other = load_sets(self.file).splats.to(splats.device)
        if self.scale != 1:
            other = other.scale(float(self.scale), about=(0.0, 0.0))
        try:
            merged = layer(splats, other.translate(dx, dy), below=self.below)
        except InputError as error:
            raise InputError(f"{self.file}: {error}") from error
        new = torch.arange(merged.num_splats, device=splats.device) >= splats.num_splats
        if in_front(splats, self.below):
            new = new.flip(0)
        return Edited(merged, new.expand(len(splats), -1))


def in_front(splats: Splats, below: bool) -> bool:
    """Whether a layer's splats come first: where order counts, the first is in front."""
    return splats.blending == "alpha" and not below


def layer(splats: Splats, other: Splats, *, below: bool = False) -> Splats:
    """Two batches of sets as one, splat to splat, in canvas units; canvas and background are the first's.

    Args:
        other: one set, or as many as `splats`; grey ones are spread over red, green and blue.
        below: behind rather than in front, under "alpha".

    Raises:
        InputError: other numbers of sets, other channels that do not fit, another blending or output.
    """
    if len(other) not in (1, len(splats)):
        raise InputError(f"a layer of {len(other)} sets does not fit {len(splats)}; give one set, or as many")
    channels, given = splats.canvas.channels, other.canvas.channels
    if given != channels and (given, channels) != (1, 3):
        kinds = {1: "grey", 3: "RGB", 4: "RGBA"}
        raise InputError(
            f"{kinds[given]} splats cannot be a layer of {kinds[channels]} ones; "
            f"give {'grey or RGB' if channels == 3 else kinds[channels]} ones"
        )
    if (other.blending, other.output) != (splats.blending, splats.output):
        raise InputError(
            f"sets drawn by {other.blending} and {other.output} cannot be a layer of sets drawn by "
            f"{splats.blending} and {splats.output}; give sets that are drawn alike"
        )
    if given != channels:
        wide = Canvas(other.canvas.height, other.canvas.width, channels)
        grey = other.background.expand(-1, channels)
        other = replace(other, colors=other.colors.expand(-1, -1, channels), canvas=wide, background=grey)
    if len(other) != len(splats):
        other = other[[0] * len(splats)]
    check_count("layer", len(splats) * (splats.num_splats + other.num_splats))
    other = other.to(splats.means)
    if not in_front(splats, below):
        return join([splats, other])
    return replace(join([other, splats]), background=splats.background, canvas=splats.canvas)
