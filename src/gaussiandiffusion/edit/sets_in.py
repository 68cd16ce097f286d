"""Bringing sets to a model: whether they are such as it knows, and if not, drawing and encoding them anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.data.framed import frame_pixels
from gaussiandiffusion.data.framing import Framing, Mode
from gaussiandiffusion.data.image_set import CHANNELS
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering import render
from gaussiandiffusion.representation import Representation, SplatRepresentation
from gaussiandiffusion.splats import Canvas, Splats

REMEDY = "draw and encode them anew for it (--encode, in Python edit.encoded_anew)"
# Mean square of a splat's distance to where its slot's splats lie, in their deviations, of half of a set's splats at
# least: up to 1.8 in samples and pictures of the bundled models, 5 and more in sets in other orders.
FAR = 2.0  # from here on results fall apart: digits that were turned by 20 degrees
NEAR = 3.0  # and here they have: by 30 degrees


def splats_of_model(pipe: GaussianDiffusion) -> SplatRepresentation:
    """The model's representation; raises InputError for a model of pixels."""
    if not isinstance(pipe.representation, SplatRepresentation):
        raise InputError("this model generates pixels, and sets are edited by models of splats; take one such as mnist")
    return pipe.representation


def template_sha256(representation: Representation[Any]) -> str | None:
    """Checksum of the template that a model's slots come from, as headers of encoded sets have it; None: of none."""
    if not isinstance(representation, SplatRepresentation):
        return None
    sha256: str | None = representation.encoder().header()["template_sha256"]
    return sha256


def latents_of(pipe: GaussianDiffusion, splats: Splats, what: str = "the sets") -> Float[Tensor, "n k f"]:
    """The model's latents of sets, on its device.

    Args:
        what: what an error calls the sets.

    Raises:
        InputError: as `check_sets`.
    """
    check_sets(pipe, splats, what)
    return splats_of_model(pipe).latent_transform.to_latent(splats.to(pipe.device, torch.float32))


def check_sets(
    pipe: GaussianDiffusion, splats: Splats, what: str = "the sets", encoder: Mapping[str, Any] | None = None
) -> None:
    """Refuse sets of another kind than a model's, in a sentence that says what would do.

    Args:
        encoder: what their header says of how they were made, if there is one.

    Raises:
        InputError: NaN, other channels, canvas, K or way of drawing; negative colours for a model that knows none; or
            splats that are not in the model's slots.
    """
    check_kind(pipe, splats, what)
    representation = splats_of_model(pipe)
    k = representation.latent_shape[0]
    if splats.num_splats != k:
        raise InputError(f"{what}: have {splats.num_splats} splats each, the model's sets {k}; {REMEDY}")
    known = (encoder or {}).get("template_sha256")
    if known is not None and known != template_sha256(representation):
        raise InputError(f"{what}: were encoded from another template than the model's slots come from; {REMEDY}")
    if representation.config.per_slot and bool((lost := from_slots(representation, splats) >= NEAR).any()):
        at = int(lost.nonzero()[0, 0])
        raise InputError(f"{what}: the splats of set {at} are not in the model's slots, or were moved far; {REMEDY}")


def check_kind(pipe: GaussianDiffusion, splats: Splats, what: str = "the sets") -> None:
    """Refuse sets of which no splat could be in a set of a model's.

    Raises:
        InputError: NaN, other channels, canvas or way of drawing; or negative colours for a model that knows none.
    """
    representation = splats_of_model(pipe)
    if not len(splats):
        raise InputError(f"{what}: there is no set among them; give at least one")
    splats.validate(what)
    canvas = representation.canvas
    if splats.canvas.channels != canvas.channels:
        kinds = CHANNELS.get(splats.canvas.channels), CHANNELS.get(canvas.channels)
        raise InputError(f"{what}: are {kinds[0]} sets, and the model makes {kinds[1]} ones; {REMEDY}")
    if splats.canvas != canvas:
        raise InputError(f"{what}: are on a canvas of {_size(splats.canvas)}, the model's is {_size(canvas)}; {REMEDY}")
    output = representation.config.output or ("straight" if canvas.channels == 4 else "clamp")
    if splats.blending != "sum" or splats.output != output or bool((splats.background != 0).any()):
        raise InputError(
            f"{what}: are drawn otherwise than the model's sets, as sums over nothing, mapped by '{output}'; {REMEDY}"
        )
    if not representation.settings.signed and bool((splats.colors < 0).any()):
        raise InputError(f"{what}: have colours below 0, and the model knows none; {REMEDY}")


@torch.no_grad()
def from_slots(representation: SplatRepresentation, splats: Splats) -> Float[Tensor, " n"]:
    """How far each set's splats lie from their slots: mean squares in a slot's deviations, the median of the splats.

    So sets are told apart that say nothing of how they were made, or say it and were edited since. A model takes sets
    below `NEAR`.
    """
    splats = splats.to(representation.device, torch.float32)
    return representation.latent_transform.to_latent(splats).square().mean(-1).median(-1).values.cpu()


def encoded_anew(pipe: GaussianDiffusion, shown: Splats | UInt8[ndarray, "n c h w"]) -> Splats:
    """Sets in the model's slots of what other sets show, or of pictures.

    Args:
        shown: sets of the shape of the model's canvas, of any size; or 8-bit pixels of just its size.

    Raises:
        InputError: they are of another shape.
    """
    representation = splats_of_model(pipe)
    canvas = representation.canvas
    if isinstance(shown, Splats):
        shown.validate("the sets")
        resized = shown.canvas.resized(canvas.longer_side)
        if (resized.height, resized.width) != (canvas.height, canvas.width):
            raise InputError(f"the sets are of another shape ({_size(shown.canvas)}) than the model's {_size(canvas)}; "
                             f"crop them first")  # fmt: skip
        shown = to_uint8(render(shown, (canvas.height, canvas.width))).numpy()
    if shown.shape[2:] != (canvas.height, canvas.width):
        raise InputError(
            f"the pictures have {shown.shape[3]}x{shown.shape[2]} pixels, the model's {_size(canvas)}; scale them first"
        )
    pixels = frame_pixels(np.ascontiguousarray(shown), Framing(mode=mode_of(canvas)))
    return representation.encoder().encode(pixels).splats


def mode_of(canvas: Canvas) -> Mode:
    """The mode of pictures of a canvas's channels."""
    modes: dict[int, Mode] = {1: "L", 3: "RGB", 4: "RGBA"}
    return modes[canvas.channels]


def _size(canvas: Canvas) -> str:
    return f"{canvas.width}x{canvas.height}"
