"""Image-GS's checkpoints: their pictures, and sets fitted to them.

A checkpoint `ckpt_step-N.pt` holds, under `state_dict`, `xy` [K, 2], means from 0 to 1 of width and height; `scale`
[K, 2], one over the sigmas in pixels; `rot` [K, 1], the angle of the first axis in radians, anticlockwise on screen;
and `feat` [K, C], colours of any sign. How it draws: of the Gaussians whose three sigmas touch a pixel's tile of 16 x
16, the ten largest at the pixel are *averaged*, colours weighted by their values w and divided by sum(w) + 1e-4; whole
numbers are pixel centres. An average is no sum, so no exact `Splats` exist, and the picture is encoded anew with as
many splats.

The file says neither its picture's size nor how it was drawn. These are the defaults of its program; checkpoints of
`--disable_topk_norm`, `--disable_inverse_scale`, `--disable_tiles` or another gamma than 1 cannot be told from others
and are drawn wrongly. Texture stacks (more than three channels) are refused.

Source: Zhang et al., "Image-GS", SIGGRAPH 2025, and the files of its repository.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.splats import Canvas, SplatFile
from gaussiandiffusion.splats.set_source import Reading
from gaussiandiffusion.splats.storage import Header

TILE = 16  # pixels
NEAREST = 10  # Gaussians that a pixel averages
EPSILON = 1e-4  # beside the sum of their values
NAMES = ("xy", "scale", "rot", "feat")


def is_image_gs(state: Mapping[str, object]) -> bool:
    """Whether this is a checkpoint of Image-GS, or its state dict."""
    inner = state.get("state_dict", state)
    return isinstance(inner, Mapping) and all(isinstance(inner.get(name), Tensor) for name in NAMES)


def read_image_gs(
    state: Mapping[str, object], reading: Reading, where: str | os.PathLike[str] = "an Image-GS checkpoint"
) -> SplatFile:
    """One set of as many splats, fitted to the picture of a checkpoint that `is_image_gs`.

    Args:
        state: the checkpoint, or its state dict.
        reading: `canvas` is needed.
        where: the file, for what is said of it.

    Raises:
        InputError: no canvas, tensors of other shapes, texture stacks, or values of no Gaussian.
    """
    canvas = _canvas(state, reading, where)
    pixels = to_uint8(draw_image_gs(state, canvas, where)[None]).numpy()
    count = len(_tensors(state, where)[0])
    encoder = make_encoder(canvas.channels, num_splats=count, pixels=canvas.height * canvas.width)
    encoded = encoder.encode(pixels)
    header = Header.of(encoded.splats, signed=encoder.signed, encoder=encoder.header(), source={"program": "Image-GS"})
    return SplatFile(encoded.splats, header, psnr=encoded.psnr)


def draw_image_gs(
    state: Mapping[str, object], canvas: Canvas, where: str | os.PathLike[str] = "an Image-GS checkpoint"
) -> Float[Tensor, "c h w"]:
    """The picture of a checkpoint, in [0, 1].

    Raises:
        InputError: tensors of other shapes, or values of no Gaussian.
    """
    places, scales, angles, colors = _tensors(state, where)
    sigmas = 1 / scales
    centers = places * places.new_tensor([canvas.width, canvas.height])  # pixels
    cos, sin = angles.cos(), angles.sin()
    first, second = sigmas.square().unbind(-1)
    xx, yy = cos.square() * first + sin.square() * second, sin.square() * first + cos.square() * second
    xy = cos * sin * (second - first)
    determinant = first * second
    # Half the spread of the variances is at least sqrt(0.1) there.
    longest = (xx + yy) / 2 + (((xx + yy) / 2).square() - determinant).clamp_min(0.1).sqrt()
    radius = (3 * longest.sqrt()).ceil()[:, None]
    low, high = ((centers - radius) / TILE).trunc(), ((centers + radius) / TILE + 1).trunc()  # tiles, the last excluded
    forms = torch.stack([yy, xy, xx], -1) / determinant[:, None]
    picture = colors.new_zeros(colors.shape[1], canvas.height, canvas.width)
    for top in range(0, canvas.height, TILE):
        rows = torch.arange(top, min(top + TILE, canvas.height))
        near_rows = (low[:, 1] * TILE <= top) & (top < high[:, 1] * TILE)
        for left in range(0, canvas.width, TILE):
            near = near_rows & (low[:, 0] * TILE <= left) & (left < high[:, 0] * TILE)
            columns = torch.arange(left, min(left + TILE, canvas.width))
            x = centers[near, 0, None, None] - columns  # (k, 1, w)
            y = centers[near, 1, None, None] - rows[:, None]  # (k, h, 1)
            a, b, d = forms[near].T[..., None, None]
            values = torch.exp(b * x * y - (a * x.square() + d * y.square()) / 2)  # (k, h, w)
            kept, chosen = values.topk(min(NEAREST, len(values)), dim=0)
            shares = kept / (kept.sum(0) + EPSILON)
            tile = torch.einsum("khw,khwc->chw", shares, colors[near][chosen])
            picture[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = tile
    return picture.clamp(0, 1).float()


def _canvas(state: Mapping[str, object], reading: Reading, where: str | os.PathLike[str]) -> Canvas:
    if reading.canvas is None:
        raise InputError(f"{where}: an Image-GS checkpoint does not say how large its picture is; "
                         "give the canvas, its height and width")  # fmt: skip
    channels = _tensors(state, where)[3].shape[1]
    if channels not in (1, 3):
        raise InputError(f"{where}: is a stack of textures with {channels} channels; only pictures of 1 or 3 are read")
    return Canvas(*reading.canvas, channels=channels)


def _tensors(state: Mapping[str, object], where: str | os.PathLike[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    inner: Any = state.get("state_dict", state)
    values = {name: inner[name] for name in NAMES}
    count = len(values["xy"]) if values["xy"].ndim else 0
    shapes = {"xy": (count, 2), "scale": (count, 2), "rot": (count, 1), "feat": (count, *values["feat"].shape[1:2])}
    for name, value in values.items():
        if not value.is_floating_point() or not count or tuple(value.shape) != shapes[name] or value.ndim != 2:
            raise InputError(f"{where}: {name} of an Image-GS checkpoint must hold a row of floats for each Gaussian, "
                             f"not {tuple(value.shape)}")  # fmt: skip
        if not bool(value.isfinite().all()):
            raise InputError(f"{where}: {name} hold NaN or infinity")
    if not bool((values["scale"] != 0).all()):
        raise InputError(f"{where}: a scale of 0 is no Gaussian; train that picture again")
    places, scales, angles, colors = (values[name].detach().double().cpu() for name in NAMES)
    return places, scales, angles[:, 0], colors
