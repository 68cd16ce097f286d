"""The Fréchet distance between two clouds of features (FID, with whatever network made them)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.evaluation.measures.comparable import check_comparable, check_count
from gaussiandiffusion.evaluation.measures.given_features import GivenFeatures, metric_class


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
    check_count(len(features), features.shape[1])
    metric = metric_class("torchmetrics.image.fid", "FrechetInceptionDistance")(
        feature=GivenFeatures(features.shape[1]), normalize=True
    )
    metric.update(reference.double(), real=True)
    metric.update(features.double(), real=False)
    return max(0.0, float(metric.compute()))  # rounding may leave the distance of equal sets just below 0
