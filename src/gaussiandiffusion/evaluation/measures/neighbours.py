"""Precision and recall: how much of one cloud of features lies on the other's manifold of neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.evaluation.measures.comparable import check_comparable
from gaussiandiffusion.ground.errors import InputError

NEIGHBOURS = 3
BLOCK = 512  # rows of a distance matrix held at once: 40 MB against 10,000 columns


@dataclass(frozen=True)
class PrecisionRecall:
    """Two fractions in [0, 1].

    Attributes:
        precision: of the generated images, those that lie among real ones: quality.
        recall: of the real images, those that lie among generated ones: variety.
    """

    precision: float
    recall: float


def precision_recall(
    features: Float[Tensor, "n f"], reference: Float[Tensor, "n f"], *, neighbours: int = NEIGHBOURS
) -> PrecisionRecall:
    """Share of each cloud inside the other's manifold, the union of balls out to every point's k-th neighbour.

    Args:
        features: of the set to judge.
        reference: of as many real images, from the same network.
        neighbours: k; more make both manifolds, and both numbers, larger.

    Raises:
        InputError: unequal counts or lengths, integers, or not more vectors than neighbours.

    Source: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models",
        NeurIPS 2019, eq. 1 and 2.
    """
    check_comparable(features, reference)
    if not 1 <= neighbours < len(features):
        raise InputError(f"{len(features)} images have no {neighbours} neighbours each: give more images")
    centre = reference.double().mean(dim=0)  # small coordinates, small rounding errors of distances
    features, reference = features.double() - centre, reference.double() - centre
    radii, reference_radii = _radii(features, neighbours), _radii(reference, neighbours)
    precise = 0
    recalled = torch.zeros(len(reference), dtype=torch.bool)
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = _squared_distances(features[rows], reference)  # (block, n)
        precise += int((distances <= reference_radii).any(dim=1).sum())
        recalled |= (distances <= radii[rows, None]).any(dim=0)
    return PrecisionRecall(precise / len(features), float(recalled.double().mean()))


def _radii(points: Float[Tensor, "n f"], neighbours: int) -> Float[Tensor, " n"]:
    """Squared distance of each point to its k-th nearest other one."""
    radii = []
    for start in range(0, len(points), BLOCK):
        distances = _squared_distances(points[start : start + BLOCK], points)  # (block, n)
        distances.diagonal(offset=start).fill_(torch.inf)  # a point is no neighbour of its own
        radii.append(distances.topk(neighbours, dim=1, largest=False).values[:, -1])
    return torch.cat(radii)


def _squared_distances(points: Float[Tensor, "m f"], others: Float[Tensor, "n f"]) -> Float[Tensor, "m n"]:
    products = torch.addmm(others.square().sum(dim=1), points, others.T, alpha=-2)
    return products.add_(points.square().sum(dim=1, keepdim=True))
