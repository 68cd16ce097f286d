"""The kernel distance between two clouds of features (KID, with whatever network made them)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.evaluation.measures.comparable import check_comparable, check_count
from gaussiandiffusion.evaluation.measures.given_features import GivenFeatures, metric_class

SUBSETS = 100
SUBSET_SIZE = 1000  # as is usual for published numbers


@dataclass(frozen=True)
class KernelDistance:
    """A KID: its mean and spread over random subsets of both sides.

    Attributes:
        mean: squared maximum mean discrepancy; unbiased, so just below 0 at times for equal distributions.
        std: of single subsets about the mean.
        subsets: how many.
        subset_size: images of each side in one.
    """

    mean: float
    std: float
    subsets: int
    subset_size: int


def kernel_distance(
    features: Float[Tensor, "n f"],
    reference: Float[Tensor, "n f"],
    *,
    subsets: int = SUBSETS,
    seed: int = 0,
) -> KernelDistance:
    """Squared maximum mean discrepancy under the kernel (x . y / f + 1)^3.

    Args:
        features: of the set to judge.
        reference: of as many real images, from the same network.
        subsets: random subsets to average over, of 1000 images or half of those there are.
        seed: of the choice of subsets; the caller's random state is left as it was.

    Raises:
        InputError: unequal counts or lengths, fewer vectors than twice their length, integers, or torchmetrics is
            not installed.

    Source: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, eq. 4 and section 4.
    """
    check_comparable(features, reference)
    check_count(len(features), features.shape[1])
    size = min(SUBSET_SIZE, len(features) // 2)  # a whole side would be the same subset each time
    metric_type = metric_class("torchmetrics.image.kid", "KernelInceptionDistance")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps all features: so do we
        metric = metric_type(feature=GivenFeatures(features.shape[1]), subsets=subsets, subset_size=size)
    metric.update(reference.double(), real=True)  # double: the distance is a small difference of large sums
    metric.update(features.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, std = metric.compute()
    return KernelDistance(float(mean), float(std), subsets, size)
