"""`prune`: drop the splats that matter least to the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int64
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited, Operation
from gaussiandiffusion.edit.operations.counts import keep as kept
from gaussiandiffusion.encoding.importance import leaving_out
from gaussiandiffusion.encoding.parameters import to_parameters
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.cpu.compiler import kernel_available
from gaussiandiffusion.splats import Splats

STRIDE = 4  # a round drops a STRIDE-th of what may still go, before what is left is weighed again
CUTOFF = 5.0  # sigmas, of the pictures that are compared: an error of 4e-6 of a splat's colour
MANY = 2**20  # pairs of splat and pixel, beyond which drawing often is slower than loading the kernel


@dataclass(frozen=True)
class Prune(Operation):
    """Drop what matters least to the picture; see `prune`.

    Attributes:
        keep: how many splats stay.
        db: or the PSNR of the picture before that it is to stay within.
    """

    name: ClassVar[str] = "prune"
    keep: int | None = None
    db: float | None = None

    def edit(self, splats: Splats, where: Bool[Tensor, "n k"] | None) -> Edited:
        return kept(splats, worth_keeping(splats, self.keep, self.db, where), where)


def prune(
    splats: Splats, keep: int | None = None, db: float | None = None, where: Bool[Tensor, "n k"] | None = None
) -> Splats:
    """Drop what matters least to the picture, splat by splat the one whose absence would be the smallest error.

    Those that stay are as they were, in their order. Nothing is fitted again.

    Args:
        splats: on the CPU; the picture is that of their own canvas.
        keep: how many splats of each set stay.
        db: or instead: as few as the picture needs to stay within this PSNR of what it was, in dB. Sets that keep fewer
            than others are filled up with splats that draw nothing.
        where: which may go; default: all.

    Raises:
        InputError: not exactly one of `keep` and `db`, out of range, or more to drop than may go.
    """
    return kept(splats, worth_keeping(splats, keep, db, where)).splats


def worth_keeping(
    splats: Splats, keep: int | None = None, db: float | None = None, where: Bool[Tensor, "n k"] | None = None
) -> Bool[Tensor, "n k"]:
    """Which splats stay; arguments and errors as `prune`."""
    if (keep is None) == (db is None):
        raise InputError("prune to a number of splats or to a PSNR: give exactly one of keep and db")
    if db is not None and not 0 < db < math.inf:
        raise InputError(f"db must be a number above 0, not {db}")
    count = splats.num_splats
    if keep is not None and not 1 <= keep <= count:
        raise InputError(f"keep must lie between 1 and the {count} splats there are, not {keep}")
    free = torch.ones(splats.means.shape[:2], dtype=torch.bool) if where is None else where
    least = int(free.sum(1).min()) if len(free) else count
    if keep is not None and least < count - keep:
        raise InputError(
            f"only {least} of the {count} splats are selected, and no others may go; keep at least {count - least}"
        )
    stays = torch.ones(splats.means.shape[:2], dtype=torch.bool)
    for i in range(len(splats)):
        stays[i, _dropped(splats[i], free[i], keep, db)] = False
    return stays


def _dropped(one: Splats, free: Bool[Tensor, " k"], keep: int | None, db: float | None) -> Int64[Tensor, " m"]:
    """The splats of one set that go, the least important first."""
    if keep is not None:
        return _order(one, free, one.num_splats - keep)
    assert db is not None
    most = min(int(free.sum()), one.num_splats - 1)
    order = _order(one, free, most)
    before = _draw(one)
    fits, fails = 0, most + 1
    while fails - fits > 1:
        middle = (fits + fails) // 2
        error = float((_draw(one.select(_others(one, order[:middle]))) - before).square().mean())
        fits, fails = (middle, fails) if error <= 10 ** (-db / 10) else (fits, middle)
    return order[:fits]


def _order(one: Splats, free: Bool[Tensor, " k"], most: int) -> Int64[Tensor, " m"]:
    """The `most` least important of the splats that are free to go, in the order in which they should.

    Importance is weighed again in rounds, since of two splats that light a place together one may go, not both.
    """
    plain = _with_opacities_in_colors(one)
    parameters, size = to_parameters(plain), (one.canvas.height, one.canvas.width)
    again = one.blending == "sum" and most > _round(int(free.sum()))
    before = _draw(plain) if again else None
    gone = torch.zeros(0, dtype=torch.int64)
    while len(gone) < most:
        left = free.clone()
        left[gone] = False
        gradients = _color_gradients(plain, gone, before) if before is not None and len(gone) else 0.0
        worth = torch.from_numpy(leaving_out(parameters, size, gradients)[0])
        worth[~left] = math.inf
        step = min(most - len(gone), _round(int(left.sum())))
        gone = torch.cat([gone, worth.argsort(stable=True)[:step]])
    return gone


def _round(left: int) -> int:
    return math.ceil(left / STRIDE)


def _color_gradients(
    one: Splats, gone: Int64[Tensor, " m"], before: Float[Tensor, "1 c h w"]
) -> Float[ndarray, "1 k c"]:
    """Of half the sum of squared errors without some splats, by the colours of all."""
    colors = one.colors.detach().clone()
    colors[:, gone] = 0
    colors.requires_grad_()
    error = (_draw(replace(one, colors=colors)) - before).square().sum() / 2
    (gradient,) = torch.autograd.grad(error, colors)
    return gradient.numpy()


def _with_opacities_in_colors(one: Splats) -> Splats:
    """The same picture, if splats are summed; if not, it serves to weigh them."""
    if one.opacities is None:
        return one
    return replace(one, colors=one.colors * one.opacities[..., None], opacities=None)


def _draw(one: Splats) -> Float[Tensor, "1 c h w"]:
    """Its picture, by the fused kernel where there are many to be drawn."""
    canvas, fused = one.canvas, one.blending == "sum" and one.means.dtype == torch.float32
    if fused and one.num_splats * canvas.height * canvas.width > MANY and kernel_available():
        return render(one, cutoff=CUTOFF, backend="cpu")
    return render(one, cutoff=CUTOFF)


def _others(one: Splats, gone: Int64[Tensor, " m"]) -> Bool[Tensor, " k"]:
    stays = torch.ones(one.num_splats, dtype=torch.bool)
    stays[gone] = False
    return stays
