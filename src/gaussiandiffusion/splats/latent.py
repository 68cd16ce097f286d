"""`LatentTransform`: splat sets <-> the unconstrained, standardised tensor that diffusion sees."""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.errors import InputError
from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.splats import Splats

GEOMETRY_FEATURES = 5  # x, y and the three numbers of the log-covariance
SLOT_STD_FLOOR = 0.15  # of the feature's global deviation: a slot that hardly moves is not blown up to noise
LOG_SIGMA_LIMIT = 10.0  # decoded deviations stay within e^±10 canvas units on average, whatever a network predicts,
LOG_RATIO_LIMIT = 10.0  # and the longer axis within e^10 of the shorter


class LatentTransform(ModelMixin, ConfigMixin):
    """Map a splat to (x, y, p, q, r, colour...) and standardise each feature.

    The covariance enters as its matrix logarithm, log Sigma = [[p+q, r], [r, p-q]]: every symmetric matrix is the
    logarithm of exactly one covariance, so the form is unique, smooth and unconstrained, and no axis is preferred
    (Arsigny et al., "Log-Euclidean Metrics", 2006). Opacities are folded into the colours.

    Args:
        height, width, channels: the canvas.
        num_slots: K if statistics are kept per slot (canonical sets), 0 if one set of them serves all splats.
        signed: whether colours may be negative; otherwise decoding clamps them at 0.

    Buffers `mean` and `std`, of shape (num_slots or 1, F) with F = 5 + channels, are set by `fit`.
    """

    @register_to_config
    def __init__(self, height: int, width: int, channels: int = 1, num_slots: int = 0, signed: bool = False) -> None:
        super().__init__()
        shape = (max(1, num_slots), GEOMETRY_FEATURES + channels)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.config.height, self.config.width, self.config.channels)

    @property
    def num_features(self) -> int:
        return GEOMETRY_FEATURES + self.config.channels

    @classmethod
    def fit(cls, splats: Splats, *, per_slot: bool, signed: bool = False) -> LatentTransform:
        """Measure the statistics of a data set's sets.

        Args:
            splats: at least two sets of the data set.
            per_slot: keep mean and deviation of every slot; for canonical sets, whose slot k means the same
                part of every image.
            signed: whether colours may be negative.
        """
        canvas = splats.canvas
        transform = cls(canvas.height, canvas.width, canvas.channels, splats.num_splats if per_slot else 0, signed)
        features = to_features(splats)  # (n, k, f)
        spread = features.flatten(0, 1).std(0).clamp_min(1e-6)  # (f,)
        if per_slot:
            transform.mean.copy_(features.mean(0))
            transform.std.copy_(features.std(0).clamp_min(SLOT_STD_FLOOR * spread))
        else:
            transform.mean.copy_(features.flatten(0, 1).mean(0, keepdim=True))
            transform.std.copy_(spread[None])
        return transform

    def encode(self, splats: Splats) -> Float[Tensor, "n k f"]:
        """Standardised features of the sets."""
        self._check(splats.num_splats)
        return (to_features(splats) - self.mean) / self.std

    def decode(self, latent: Float[Tensor, "n k f"]) -> Splats:
        """Splat sets of a latent; exact inverse of `encode`, and defined for any finite latent."""
        self._check(latent.shape[1])
        features = latent * self.std + self.mean
        splats = from_features(features, self.canvas)
        if self.config.signed:
            return splats
        return Splats(splats.means, splats.sigmas, splats.rhos, splats.colors.clamp_min(0), splats.canvas)

    def _check(self, num_splats: int) -> None:
        slots = self.config.num_slots
        if slots and num_splats != slots:
            raise InputError(f"the latent transform was fitted for K = {slots} slots; these sets have {num_splats}")


def to_features(splats: Splats) -> Float[Tensor, "n k f"]:
    """(x, y, p, q, r, colour * opacity) of every splat, before standardisation.

    With h = |(q, r)|, Sigma = e^p (cosh h I + sinh(h)/h [[q, r], [r, -q]]), hence det Sigma = e^(2p).
    """
    sigma_x, sigma_y = splats.sigmas.unbind(-1)
    rho = splats.rhos
    root = ((1 - rho) * (1 + rho)).sqrt()
    determinant_root = sigma_x * sigma_y * root  # e^p
    q_sinhc = (sigma_x - sigma_y) * (sigma_x + sigma_y) / 2 / determinant_root  # q sinh(h)/h
    r_sinhc = rho / root  # r sinh(h)/h
    sinh = torch.hypot(q_sinhc, r_sinhc)
    ratio = torch.where(sinh > 1e-4, torch.asinh(sinh) / sinh.clamp_min(1e-4), 1 - sinh.square() / 6)
    log_covariance = torch.stack([determinant_root.log(), q_sinhc * ratio, r_sinhc * ratio], -1)
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    return torch.cat([splats.means, log_covariance, colors], -1)


def from_features(features: Float[Tensor, "n k f"], canvas: Canvas) -> Splats:
    """Inverse of `to_features`; deviations and ratios beyond the limits are brought to them."""
    means, (p, q, r), colors = features[..., :2], features[..., 2:5].unbind(-1), features[..., 5:]
    p = p.clamp(-2 * LOG_SIGMA_LIMIT, 2 * LOG_SIGMA_LIMIT)
    h = (q.square() + r.square() + 1e-12).sqrt()  # the offset keeps the gradient finite for round splats
    shrink = (LOG_RATIO_LIMIT / h).clamp_max(1)
    h, q, r = h * shrink, q * shrink, r * shrink
    sinhc = h.sinh() / h
    # cosh h ± q sinh(h)/h loses every digit for thin splats; e^-h + (h ± q) sinh(h)/h loses none, once h - |q| is
    # written r^2 / (h + |q|).
    larger = h + q.abs()
    smaller = r.square() / larger
    positive = q > 0
    variances = torch.stack([torch.where(positive, larger, smaller), torch.where(positive, smaller, larger)], -1)
    variances = (-h).exp()[..., None] + sinhc[..., None] * variances  # times e^p, below
    sigmas = (p[..., None] / 2).exp() * variances.sqrt()
    limit = 1 - 1e-6
    rhos = (sinhc * r / variances.prod(-1).sqrt()).clamp(-limit, limit)
    return Splats(means, sigmas, rhos, colors, canvas)
