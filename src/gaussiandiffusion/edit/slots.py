"""Sets of fewer splats than a model's, brought into its slots: each splat into the one that suits it best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from gaussiandiffusion.edit.operations.counts import filled_up
from gaussiandiffusion.edit.sets_in import NEAR, REMEDY, check_kind, check_sets, from_slots, splats_of_model
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.representation.features import to_features
from gaussiandiffusion.splats import Splats

DRAWN = 0.05  # brightness from which on a splat draws something
# Mean square of a splat's distance to its slot, in the slot's deviations. Where two splats of each sample of a bundled
# model are missing, it is at most 19; of a splat far outside the picture 30 and more.
STRAY = 25.0


@dataclass(frozen=True, eq=False)
class InSlots:
    """Sets in a model's slots.

    Attributes:
        splats: sets of the model's K; a slot that no splat was put into draws nothing.
        kept: slots that hold a splat of the sets that draws something.
    """

    splats: Splats
    kept: Bool[Tensor, "n k"]


def drawing(splats: Splats, least: float = DRAWN) -> Bool[Tensor, "n k"]:
    """Splats that draw something: brightest channel, times opacity, of at least so much."""
    amplitudes = splats.colors.amax(-1)
    return (amplitudes if splats.opacities is None else amplitudes * splats.opacities) >= least


def in_slots(pipe: GaussianDiffusion, splats: Splats, what: str = "the sets", *, drawn: float = DRAWN) -> InSlots:
    """Sets of a part of the splats that a model's sets have, in any order, brought into its slots.

    Each set's splats that draw something are assigned to slots so that the squares of their latents add up to the least
    (Kuhn, "The Hungarian Method for the Assignment Problem", 1955); no value of them changes. Sets of as many splats as
    the model's that lie in its slots stay as they are, unless an edit filled them up, which moved some along.

    Args:
        pipe: a model of splats.
        splats: N sets of at most K splats.
        what: what an error calls the sets.
        drawn: brightness, opacity included, from which on a splat draws something.

    Raises:
        InputError: more splats than slots, splats that are far from any slot, or sets of another kind than the model's.
    """
    representation = splats_of_model(pipe)
    check_kind(pipe, splats, what)
    k, per_slot = representation.latent_shape[0], representation.config.per_slot
    splats = splats.to("cpu", torch.float32)
    kept = drawing(splats, drawn)
    placed = torch.zeros(len(splats), dtype=torch.bool)
    if splats.num_splats == k:
        placed = (from_slots(representation, splats) < NEAR) & ~filled_up(splats) if per_slot else ~placed
    if splats.num_splats > k or bool((~placed & (kept.sum(1) == k)).any()):
        check_sets(pipe, splats, what)  # refuses
    empty = representation.from_latent(torch.zeros(1, *representation.latent_shape, device=representation.device))
    slots = torch.where(placed[:, None], torch.arange(splats.num_splats), -1)
    for number in (~placed).nonzero()[:, 0].tolist():
        own = kept[number].nonzero()[:, 0]
        squares = _squares(representation, splats[number].select(own))
        chosen = _assigned(squares)
        if bool((far := squares.gather(1, chosen[:, None])[:, 0] >= STRAY).any()):
            at = int(own[far][0])
            raise InputError(f"{what}: splat {at} of set {number} lies far from every slot it could have; {REMEDY}")
        slots[number, own] = chosen
    return _put(splats, kept, slots, empty.to("cpu"))


def _squares(representation: SplatRepresentation, one: Splats) -> Float[Tensor, "m k"]:
    """For each splat of a set and each slot, the mean square of its latent there."""
    transform = representation.latent_transform
    mean, std = transform.mean.cpu(), transform.std.cpu()
    latents = (to_features(one, transform.config.form)[0, :, None] - mean) / std  # (m, k or 1, f)
    return latents.square().mean(-1).expand(-1, representation.latent_shape[0])


def _assigned(squares: Float[Tensor, "m k"]) -> Int64[Tensor, " m"]:
    """The slot of each splat, so that the sum is the least."""
    from scipy.optimize import linear_sum_assignment  # not needed by other edits, so not loaded with them

    return torch.from_numpy(linear_sum_assignment(squares.double().numpy())[1])


def _put(splats: Splats, kept: Bool[Tensor, "n m"], slots: Int64[Tensor, "n m"], empty: Splats) -> InSlots:
    """Splats in their slots, and nothing in the others.

    Args:
        slots: of each splat; -1: in none.
        empty: a batch of one set that fills the others.
    """
    sets, own = (slots >= 0).nonzero(as_tuple=True)
    to = slots[sets, own]

    def put(into: Tensor, values: Tensor) -> Tensor:
        into = into.expand(len(splats), *into.shape[1:]).clone()
        into[sets, to] = values[sets, own]
        return into

    bare = replace(empty, colors=torch.zeros_like(empty.colors), opacities=torch.ones_like(empty.rhos))
    values: dict[str, Any] = {
        name: put(bare.tensors()[name], value) for name, value in splats.tensors().items() if name != "background"
    }
    mask = torch.zeros_like(empty.rhos, dtype=torch.bool)
    return InSlots(replace(empty, background=splats.background, **values), put(mask, kept))
