"""The numbers that describe a splat in a latent, before they are scaled: x, y, three of its covariance, its colour.

"log_covariance" takes the matrix logarithm, log Sigma = [[p+q, r], [r, p-q]]: every symmetric matrix is the logarithm
of exactly one covariance, so the form is unique, smooth and unconstrained, and no axis is preferred (Arsigny et al.,
"Log-Euclidean Metrics", 2006). "deviations" takes (sigma_x, sigma_y, rho) as they are, as the published system does;
a network may then predict what is no covariance, and is given the nearest that is.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.splats import Canvas, Splats

Form = Literal["log_covariance", "deviations"]

GEOMETRY_FEATURES = 5  # x, y and the three numbers of the covariance
LOG_SIGMA_LIMIT = (
    10.0  # deviations from a latent stay within e^±10 canvas units on average, whatever a network predicts,
)
LOG_RATIO_LIMIT = 10.0  # and the longer axis within e^10 of the shorter
RHO_LIMIT = 1 - 1e-6
# Of the form "deviations", in canvas units. The encoder's thinnest splat, 0.3 pixels, is wider than the least on any
# canvas of up to 6000 pixels.
SIGMA_LIMITS = 1e-4, 1e4


def to_features(splats: Splats, form: Form = "log_covariance") -> Float[Tensor, "n k f"]:
    """(x, y, three numbers of the covariance in the given form, colour * opacity) of every splat."""
    covariance = _TO_COVARIANCE[form](splats.sigmas, splats.rhos)
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    return torch.cat([splats.means, covariance, colors], -1)


def from_features(features: Float[Tensor, "n k f"], canvas: Canvas, form: Form = "log_covariance") -> Splats:
    """Inverse of `to_features`; what lies beyond the limits above is brought to them."""
    sigmas, rhos = _FROM_COVARIANCE[form](features[..., 2:GEOMETRY_FEATURES])
    return Splats(features[..., :2], sigmas, rhos, features[..., GEOMETRY_FEATURES:], canvas)


def _to_log_covariance(sigmas: Float[Tensor, "n k 2"], rho: Float[Tensor, "n k"]) -> Float[Tensor, "n k 3"]:
    """(p, q, r). With h = |(q, r)|, Sigma = e^p (cosh h I + sinh(h)/h [[q, r], [r, -q]]), hence det Sigma = e^(2p)."""
    sigma_x, sigma_y = sigmas.unbind(-1)
    root = ((1 - rho) * (1 + rho)).sqrt()
    determinant_root = sigma_x * sigma_y * root  # e^p
    q_sinhc = (sigma_x - sigma_y) * (sigma_x + sigma_y) / 2 / determinant_root  # q sinh(h)/h
    r_sinhc = rho / root  # r sinh(h)/h
    sinh = torch.hypot(q_sinhc, r_sinhc)
    ratio = torch.where(sinh > 1e-4, torch.asinh(sinh) / sinh.clamp_min(1e-4), 1 - sinh.square() / 6)
    return torch.stack([determinant_root.log(), q_sinhc * ratio, r_sinhc * ratio], -1)


def _from_log_covariance(
    covariance: Float[Tensor, "n k 3"],
) -> tuple[Float[Tensor, "n k 2"], Float[Tensor, "n k"]]:
    p, q, r = covariance.unbind(-1)
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
    rhos = (sinhc * r / variances.prod(-1).sqrt()).clamp(-RHO_LIMIT, RHO_LIMIT)
    return sigmas, rhos


def _to_deviations(sigmas: Float[Tensor, "n k 2"], rhos: Float[Tensor, "n k"]) -> Float[Tensor, "n k 3"]:
    return torch.cat([sigmas, rhos[..., None]], -1)


def _from_deviations(covariance: Float[Tensor, "n k 3"]) -> tuple[Float[Tensor, "n k 2"], Float[Tensor, "n k"]]:
    return covariance[..., :2].clamp(*SIGMA_LIMITS), covariance[..., 2].clamp(-RHO_LIMIT, RHO_LIMIT)


_TO_COVARIANCE = {"log_covariance": _to_log_covariance, "deviations": _to_deviations}
_FROM_COVARIANCE = {"log_covariance": _from_log_covariance, "deviations": _from_deviations}
