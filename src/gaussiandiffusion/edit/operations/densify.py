"""`densify`: add splats where the sets are wrong about a picture, and fit them to it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Operation
from gaussiandiffusion.encoding.allocate import Allocation
from gaussiandiffusion.encoding.encoder import FitEncoder
from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.encoding.settings import default_settings
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import FOOTPRINT
from gaussiandiffusion.rendering.render import accumulate
from gaussiandiffusion.splats import Splats

ADDING = Allocation(first=0.0, last=0.4, taken=0.0)  # no splat is moved to another place


@dataclass(frozen=True)
class Densify(Operation):
    """Add splats where a picture is missed, and fit them to it; the new ones are selected too. See `densify`.

    Attributes:
        file: a picture of the canvas's size, for all sets; or a folder of as many.
        splats: how many a set is to have then.
    """

    name: ClassVar[str] = "densify"
    file: str
    splats: int

    def files(self) -> tuple[str, ...]:
        return (self.file,)

    def located(self, files: Mapping[str, Path]) -> Densify:
        return replace(self, file=str(files.get(self.file, self.file)))

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        denser = densify(splats, self.file, self.splats, where)
        if where is None:
            return Edited(denser)
        added = where.new_ones(len(splats), denser.num_splats - splats.num_splats)
        return Edited(denser, torch.cat([where, added], 1))


def densify(
    splats: Splats,
    picture: Any,
    num_splats: int,
    where: Bool[Tensor, "n k"] | None = None,
    *,
    iterations: int | None = None,
    threads: int | None = None,
) -> Splats:
    """Add splats where the largest errors are, and fit all of them to the picture.

    The first K splats of the result are those that there were, moved by the fit; the added ones follow.

    Args:
        splats: summed sets on the CPU; opacities go into the colours.
        picture: one of the canvas's size for each set, or one for all: tensor or array (N, C, H, W) in [0, 1] or
            uint8, a path, a PIL image, or a sequence of either.
        num_splats: how many a set is to have then, more than before.
        where: splats to which this is confined: the fit moves no others, which stay as they are bit by bit, and adds
            where these draw. Default: all.
        iterations: of the fit; default: as to encode pictures like these.
        threads: default: torch's number. The result does not depend on it.

    Raises:
        InputError: not more splats than there are, sets that are not summed on a black background, pictures that
            cannot be read or of another size or number.
    """
    if num_splats <= splats.num_splats:
        raise InputError(f"densify adds splats: give more than the {splats.num_splats} there are, not {num_splats}")
    if splats.blending != "sum" or splats.output == "soft" or bool(splats.background.any()):
        raise InputError("only summed sets that are clamped, on black, can be fitted; convert them to such sets first")
    pixels = _pictures(picture, splats)
    signed = bool((splats.colors < 0).any())
    canvas = splats.canvas
    settings = default_settings(
        canvas.channels,
        num_splats=num_splats,
        iterations=iterations,
        signed=signed,
        pixels=canvas.height * canvas.width,
        allocate="error",
    )
    plain = splats
    if splats.opacities is not None:
        plain = replace(splats, colors=splats.colors * splats.opacities[..., None], opacities=None)
    encoder, done = FitEncoder(settings), []
    for i in range(len(plain)):
        one = plain[i]
        allocation = ADDING if where is None else _only(one, where[i])
        done.append(encoder.refit(pixels[i : i + 1], one, allocation=allocation, threads=threads).splats)
    fitted = Splats.cat(done)
    return fitted if where is None else _with_frozen(fitted, plain, ~where)


def _only(one: Splats, chosen: Bool[Tensor, " k"]) -> Allocation:
    """Add where the chosen splats of a set draw, as much as they do so; the others stay."""
    lit = one.colors.abs().sum(-1, keepdim=True)  # (1, k, 1)
    canvas = replace(one.canvas, channels=1)
    drawn, all_drawn = (
        accumulate(Splats(one.means, one.sigmas, one.rhos, colors, canvas), cutoff=FOOTPRINT)[0, 0]
        for colors in (lit * chosen[:, None], lit)
    )
    region = drawn / all_drawn.clamp_min(1e-6)
    return replace(ADDING, frozen=(~chosen).numpy(), region=region.numpy())


def _pictures(picture: Any, splats: Splats) -> np.ndarray:
    """8-bit pixels (N, C, H, W), one picture for each set."""
    pixels = as_pixels(picture)
    canvas = splats.canvas
    if pixels.shape[1:] != (canvas.channels, canvas.height, canvas.width):
        channels, height, width = pixels.shape[1:]
        raise InputError(
            f"the picture is {width}x{height} with {channels} channel(s), but the sets' canvas {canvas.width}x"
            f"{canvas.height} with {canvas.channels}; bring the picture to that size and mode"
        )
    if len(pixels) not in (1, len(splats)):
        raise InputError(f"{len(pixels)} pictures for {len(splats)} sets; give one for each, or one for all")
    return pixels.repeat(len(splats) // len(pixels), 0) if len(splats) else pixels[:0]


def _with_frozen(fitted: Splats, before: Splats, frozen: Bool[Tensor, "n k"]) -> Splats:
    """The fitted sets with the frozen splats' own bits, which the fit's parameters do not hold."""
    values: dict[str, Any] = {}
    count = before.num_splats
    for name, value in before.tensors().items():
        if name != "background":
            new = getattr(fitted, name).clone()
            mask = frozen.reshape(*frozen.shape, *[1] * (value.ndim - 2))
            new[:, :count] = torch.where(mask, value, new[:, :count])
            values[name] = new
    return replace(fitted, **values)
