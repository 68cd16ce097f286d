"""GaussianImage's saved models: the sets in `gaussian_model.pth.tar`, of both its kinds.

A file is a state dict. Of both kinds it holds `_xyz` [K, 2], means before tanh; `_features_dc` [K, 3], colours of any
sign; `_opacity` [K, 1], all 1. GaussianImage_Cholesky adds `_cholesky` [K, 3], GaussianImage_RS `_scaling` [K, 2] and
`_rotation` [K, 1]; what is added to them is in the buffers `cholesky_bound` and `bound`. How it draws:

- a mean of tanh value t lies at W (t_x + 1) / 2, H (t_y + 1) / 2, where *whole* numbers are pixel centres: half a pixel
  right and down of what t = -1 ... 1 suggests;
- Cholesky: with (a, b, c) = `_cholesky` + bound, the covariance in pixels is [[a a, a b], [a b, b b + c c]];
- RS: with s = |`_scaling` + bound| and the angle 2 pi sigmoid(`_rotation`), s_x lies along (cos, -sin), y down;
- colours are summed, without background, and clamped to [0, 1].

It leaves out what a Gaussian adds below 1/255 of its peak, so `render(splats, cutoff=CUTOFF)` redraws its pictures;
and beyond the 16 x 16 tiles that three sigmas touch, which is between those two and not redrawn. The file does not say
how large the picture is. Models of its quantised training draw with other values than those saved here, and are
refused; so are its 3D models.

Source: Zhang et al., "GaussianImage", ECCV 2024, and the files of its repository.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, SplatFile, Splats
from gaussiandiffusion.splats.set_source import Reading
from gaussiandiffusion.splats.storage import Header

CUTOFF = math.sqrt(2 * math.log(255))  # sigmas: exp(-CUTOFF^2 / 2) = 1/255
BOUND = 0.5  # of scalings, and of the diagonal of the Cholesky factor


def is_gaussianimage(state: Mapping[str, object]) -> bool:
    """Whether these are the tensors of a model of GaussianImage with 2D Gaussians, of either kind."""
    means = state.get("_xyz")
    kind = "_cholesky" in state or {"_scaling", "_rotation"} <= state.keys()
    return kind and "_features_dc" in state and isinstance(means, Tensor) and means.ndim == 2 and means.shape[1] == 2


def read_gaussianimage(
    state: Mapping[str, object], reading: Reading, where: str | os.PathLike[str] = "a GaussianImage model"
) -> SplatFile:
    """One set from the tensors of a model that `is_gaussianimage`.

    Args:
        state: the state dict.
        reading: `canvas` is needed.
        where: the file, for what is said of it.

    Raises:
        InputError: no canvas, a quantised model, tensors missing or of other shapes, or values of no Gaussian.
    """
    if reading.canvas is None:
        raise InputError(f"{where}: a GaussianImage model does not say how large its picture is; "
                         "give the canvas, its height and width")  # fmt: skip
    if any("quantizer" in name for name in state):
        raise InputError(f"{where}: is a quantised GaussianImage model, which is not drawn with the values it holds; "
                         "give the model from before quantisation")  # fmt: skip
    canvas = Canvas(*reading.canvas, channels=3)
    count = _tensor(state, "_xyz", where).shape[0]
    places = torch.tanh(_tensor(state, "_xyz", where, (count, 2)))
    colors = _tensor(state, "_features_dc", where, (count, 3))
    opacities = _tensor(state, "_opacity", where, (count, 1))[:, 0] if "_opacity" in state else torch.ones(count)
    if "_cholesky" in state:
        factors = _tensor(state, "_cholesky", where, (count, 3)) + _bound(state, "cholesky_bound", (BOUND, 0, BOUND))
        splats = cholesky_splats(places[None], factors[None], colors[None], canvas)
    else:
        scalings = (_tensor(state, "_scaling", where, (count, 2)) + _bound(state, "bound", (BOUND, BOUND))).abs()
        angles = 2 * math.pi * torch.sigmoid(_tensor(state, "_rotation", where, (count, 1))[:, 0])
        splats = rotated_splats(places[None], scalings[None], angles[None], colors[None], canvas)
    splats = splats.to(torch.float32)
    if not bool((opacities == 1).all()):
        splats = Splats(**splats.tensors(), canvas=canvas, opacities=opacities[None].float())
    kind = "Cholesky" if "_cholesky" in state else "RS"
    header = Header.of(
        splats,
        signed=bool((splats.colors < 0).any()),
        encoder={"program": "GaussianImage", "model": f"GaussianImage_{kind}"},
    )
    if bool((splats.rhos.isnan() & splats.means.isfinite().all(-1)).any()):
        raise InputError(f"{where}: a Gaussian of sigma 0 is none; train that picture again")
    return SplatFile(splats.validate(str(where)), header)


def cholesky_splats(
    places: Float[Tensor, "n k 2"], factors: Float[Tensor, "n k 3"], colors: Float[Tensor, "n k 3"], canvas: Canvas
) -> Splats:
    """Sets of GaussianImage_Cholesky from final values.

    Args:
        places: means after tanh, in (-1, 1).
        factors: (a, b, c) of the lower factor [[a, 0], [b, c]] in pixels, bound added.
        colors: any sign.
        canvas: of the picture.
    """
    a, b, c = factors.unbind(-1)
    height = torch.hypot(b, c)
    sigmas = torch.stack([a.abs(), height], -1) / canvas.pixels_per_unit
    return Splats(_means(places, canvas), sigmas, _below_one(b * a.sign() / height), colors, canvas)


def rotated_splats(
    places: Float[Tensor, "n k 2"],
    scalings: Float[Tensor, "n k 2"],
    angles: Float[Tensor, "n k"],
    colors: Float[Tensor, "n k 3"],
    canvas: Canvas,
) -> Splats:
    """Sets of GaussianImage_RS from final values.

    Args:
        places: means after tanh, in (-1, 1).
        scalings: sigmas along the two axes in pixels, bound added, > 0.
        angles: of the first axis, in radians, anticlockwise on screen.
        colors: any sign.
        canvas: of the picture.
    """
    cos, sin = angles.cos(), angles.sin()
    first, second = scalings.square().unbind(-1)
    xx, yy = cos.square() * first + sin.square() * second, sin.square() * first + cos.square() * second
    xy = cos * sin * (second - first)
    rhos = _below_one(xy / (xx * yy).sqrt())
    sigmas = torch.stack([xx, yy], -1).sqrt() / canvas.pixels_per_unit
    return Splats(_means(places, canvas), sigmas, rhos, colors, canvas)


def _means(places: Tensor, canvas: Canvas) -> Tensor:
    size = places.new_tensor([canvas.width, canvas.height])
    return (size * places + 1) / canvas.longer_side  # pixel i lies at i, ours at i + 1/2


def _below_one(rhos: Tensor) -> Tensor:
    limit = 1 - torch.finfo(torch.float32).eps
    return rhos.clamp(-limit, limit)


def _bound(state: Mapping[str, object], name: str, usual: tuple[float, ...]) -> Tensor:
    value = state.get(name)
    if isinstance(value, Tensor) and value.shape == (1, len(usual)):
        return value.double()
    return torch.tensor([usual], dtype=torch.float64)


def _tensor(
    state: Mapping[str, object], name: str, where: str | os.PathLike[str], shape: tuple[int, ...] | None = None
) -> Tensor:
    value = state.get(name)
    if not isinstance(value, Tensor) or not value.is_floating_point() or shape not in (None, tuple(value.shape)):
        held = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else "nothing of its kind"
        raise InputError(f"{where}: {name} of a GaussianImage model must hold floats {shape or ''}, not {held}")
    return value.detach().double().cpu()
