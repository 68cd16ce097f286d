"""Sets with fewer or more splats: some kept, batches joined splat to splat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit.operations.base import Edited
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats


def keep(splats: Splats, kept: Bool[Tensor, "n k"], where: Bool[Tensor, "n k"] | None = None) -> Edited:
    """Only some splats of each set, in their order.

    Sets that keep fewer than others are filled up with splats that draw nothing, at the centroid of those they keep.

    Args:
        kept: which.
        where: a selection to take along.

    Raises:
        InputError: no splat is left in any set.
    """
    counts = kept.sum(1)
    most = int(counts.max()) if len(counts) else splats.num_splats
    if most == 0:
        raise InputError("no splat would be left; keep at least one")
    order = (~kept).to(torch.uint8).sort(dim=1, stable=True).indices[:, :most]  # (n, k'), kept ones first
    real = torch.arange(most, device=kept.device) < counts[:, None]
    per_splat: dict[str, Any] = {
        name: value.gather(1, order if value.ndim == 2 else order[..., None].expand(-1, -1, value.shape[-1]))
        for name, value in splats.tensors().items()
        if name != "background"
    }
    if not bool(real.all()):
        means = per_splat["means"]
        shares = real.to(means)[..., None]
        centre = (means * shares).sum(1, keepdim=True) / shares.sum(1, keepdim=True).clamp_min(1)
        per_splat["means"] = torch.where(real[..., None], means, centre)
        per_splat["colors"] = per_splat["colors"] * shares
        if splats.blending == "alpha":  # there even a black splat hides what is behind it
            per_splat["opacities"] = per_splat.get("opacities", torch.ones_like(per_splat["rhos"])) * real
    selected = None if where is None else where.gather(1, order) & real
    return Edited(replace(splats, **per_splat), selected)


def filled_up(splats: Splats) -> Bool[Tensor, " n"]:
    """Sets that `keep` filled up: their last splats draw nothing, at the centroid of the others."""
    last = (splats.means == splats.means[:, -1:]).all(-1)  # (n, k)
    others = (~last).to(splats.means)[..., None]
    centre = (splats.means * others).sum(1) / others.sum(1).clamp_min(1)
    lies = (splats.means[:, -1] - centre).abs().amax(-1) < 1e-5
    return lies & ((splats.colors == 0).all(-1) | ~last).all(1)


def join(parts: Sequence[Splats]) -> Splats:
    """Batches of as many sets on one canvas, splat to splat; drawing rules and background are the first's."""
    first = parts[0]
    names = ("means", "sigmas", "rhos", "colors")
    joined: dict[str, Any] = {name: torch.cat([getattr(part, name) for part in parts], 1) for name in names}
    if any(part.opacities is not None for part in parts):
        joined["opacities"] = torch.cat(
            [torch.ones_like(part.rhos) if part.opacities is None else part.opacities for part in parts], 1
        )
    return replace(first, **joined)
