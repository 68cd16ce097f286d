"""`LatentTransform`: splat sets <-> the unconstrained, standardised tensor that diffusion sees."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation.features import GEOMETRY_FEATURES, Form, from_features, to_features
from gaussiandiffusion.splats import Canvas, Splats

Scaling = Literal["standard", "min_max"]

STRAYS = 1e-3  # share of values that "min_max" leaves outside its range, at either end
SLOT_STD_FLOOR = 0.15  # of the feature's global deviation: a slot that hardly moves is not blown up to noise


class LatentTransform(Component):
    """Map a splat to (x, y, three numbers of its covariance, colour...) and bring every feature to one scale.

    Opacities are folded into the colours.

    Args:
        height, width, channels: the canvas.
        num_slots: K if statistics are kept per slot (canonical sets), 0 if one set of them serves all splats.
        signed: whether colours may be negative; otherwise `from_latent` clamps them at 0.
        form: of the covariance, see `features`: "log_covariance", or "deviations" as in the published system.
        scaling: "standard" (mean 0, deviation 1), or "min_max", which brings what the training sets span to [-1, 1]
            as in the published system, but for `STRAYS` at either end: sigmoids bound the published parameters, while
            one stray of ours would squeeze all others.

    Buffers `mean` and `std`, of shape (num_slots or 1, F) with F = 5 + channels, are set by `fit`; under "min_max" they
    are the centre and the half of the range.

    Raises:
        InputError: unknown form or scaling.
    """

    @configured
    def __init__(
        self,
        height: int,
        width: int,
        channels: int = 1,
        num_slots: int = 0,
        signed: bool = False,
        form: Form = "log_covariance",
        scaling: Scaling = "standard",
    ) -> None:
        super().__init__()
        for name, value, known in (("form", form, Form), ("scaling", scaling, Scaling)):
            if value not in get_args(known):
                raise InputError(f"unknown latent {name} '{value}'; choose {' or '.join(get_args(known))}")
        Canvas(height, width, channels)  # refuses what is none
        shape = (max(1, num_slots), GEOMETRY_FEATURES + channels)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.config.height, self.config.width, self.config.channels)

    @property
    def num_features(self) -> int:
        return GEOMETRY_FEATURES + self.config.channels

    @property
    def bounded(self) -> bool:
        """Whether the training sets' latents lie in [-1, 1]."""
        return self.config.scaling == "min_max"

    @classmethod
    def fit(
        cls,
        splats: Splats,
        *,
        per_slot: bool,
        signed: bool = False,
        form: Form = "log_covariance",
        scaling: Scaling = "standard",
    ) -> LatentTransform:
        """Measure the statistics of a data set's sets.

        Args:
            splats: at least two sets of the data set.
            per_slot: keep the statistics of every slot; for canonical sets, whose slot k means the same
                part of every image.
            signed: whether colours may be negative.
            form, scaling: see the class.
        """
        canvas = splats.canvas
        slots = splats.num_splats if per_slot else 0
        transform = cls(canvas.height, canvas.width, canvas.channels, slots, signed, form, scaling)
        measure = _centre_and_half_range if scaling == "min_max" else _mean_and_std
        features = to_features(splats, form)  # (n, k, f)
        mean, std = measure(features.flatten(0, 1)[:, None])  # (1, f) each
        std = std.clamp_min(1e-6)
        if per_slot:
            floor = SLOT_STD_FLOOR * std
            mean, std = measure(features)  # (k, f) each
            std = torch.maximum(std, floor)
        transform.mean.copy_(mean)
        transform.std.copy_(std)
        return transform

    def to_latent(self, splats: Splats) -> Float[Tensor, "n k f"]:
        """Standardised features of the sets."""
        self._check(splats.num_splats)
        return (to_features(splats, self.config.form) - self.mean) / self.std

    def from_latent(self, latent: Float[Tensor, "n k f"]) -> Splats:
        """Splat sets of a latent; exact inverse of `to_latent`, and defined for any finite latent."""
        self._check(latent.shape[1])
        features = latent * self.std + self.mean
        splats = from_features(features, self.canvas, self.config.form)
        if self.config.signed:
            return splats
        return Splats(splats.means, splats.sigmas, splats.rhos, splats.colors.clamp_min(0), splats.canvas)

    def _check(self, num_splats: int) -> None:
        slots = self.config.num_slots
        if slots and num_splats != slots:
            raise InputError(f"the latent transform was fitted for K = {slots} slots; these sets have {num_splats}")


def _mean_and_std(features: Float[Tensor, "n k f"]) -> tuple[Float[Tensor, "k f"], Float[Tensor, "k f"]]:
    return features.mean(0), features.std(0)


def _centre_and_half_range(features: Float[Tensor, "n k f"]) -> tuple[Float[Tensor, "k f"], Float[Tensor, "k f"]]:
    strays = int(STRAYS * len(features))
    low, high = (features.kthvalue(place, dim=0).values for place in (1 + strays, len(features) - strays))
    return (low + high) / 2, (high - low) / 2
