"""The Fréchet distance between two clouds of features (FID, with whatever network made them)."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from gaussiandiffusion.errors import InputError


class _GivenFeatures(nn.Module):
    """The network torchmetrics asks for: none, since features of a set are made once and measured often."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet_distance(features: Float[Tensor, "n f"], reference: Float[Tensor, "n f"]) -> float:
    """Squared Fréchet distance of the normal distributions with the clouds' means and covariances.

    Args:
        features: of the set to judge.
        reference: of as many real images, from the same network.

    Returns:
        A number >= 0, in squared units of the features; accumulated in double precision.

    Raises:
        InputError: unequal counts or lengths, fewer vectors than twice their length (a covariance from so few
            says little), integers, or torchmetrics is not installed.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017, eq. 6.
    """
    check_comparable(features, reference)
    metric = _metric_class()(feature=_GivenFeatures(features.shape[1]), normalize=True)
    metric.update(reference.double(), real=True)
    metric.update(features.double(), real=False)
    return max(0.0, float(metric.compute()))  # rounding may leave the distance of equal sets just below 0


def check_count(count: int, dimension: int) -> None:
    """Refuse counts too small for a covariance of `dimension` features.

    Raises:
        InputError: fewer than twice the dimension.
    """
    if count < 2 * dimension:
        raise InputError(
            f"{count} images are too few for a Fréchet distance of {dimension} features: give at least {2 * dimension}"
        )


def check_comparable(features: Tensor, reference: Tensor) -> None:
    """Refuse two clouds that cannot be compared fairly.

    Raises:
        InputError: integers, unequal counts, unequal lengths or too few.
    """
    if not (features.is_floating_point() and reference.is_floating_point()):
        raise InputError(f"features must be floating point, not {features.dtype} and {reference.dtype}")
    if features.ndim != 2 or features.shape[1:] != reference.shape[1:]:
        raise InputError(f"features of shape {list(features.shape)} and {list(reference.shape)} are not of one network")
    if len(features) != len(reference):
        raise InputError(
            f"{len(features)} images against {len(reference)}: a Fréchet distance is biased by the count, "
            "take equally many"
        )
    check_count(len(features), features.shape[1])


def _metric_class() -> Any:
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance
    except ImportError:
        raise InputError("a Fréchet distance needs torchmetrics: pip install 'gaussiandiffusion[evaluate]'") from None
    return FrechetInceptionDistance
