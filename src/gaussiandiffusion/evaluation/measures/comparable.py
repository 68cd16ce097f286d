"""Two clouds of features: what makes a comparison of them fair."""

from __future__ import annotations

from torch import Tensor

from gaussiandiffusion.ground.errors import InputError


def check_count(count: int, dimension: int) -> None:
    """Refuse counts too small for a covariance of `dimension` features.

    Raises:
        InputError: fewer than twice the dimension.
    """
    if count < 2 * dimension:
        raise InputError(
            f"{count} images are too few for a distance in {dimension} features: give at least {2 * dimension}"
        )


def check_comparable(features: Tensor, reference: Tensor) -> None:
    """Refuse two clouds that cannot be compared fairly.

    Raises:
        InputError: integers, unequal counts, or vectors of unequal length.
    """
    if not (features.is_floating_point() and reference.is_floating_point()):
        raise InputError(f"features must be floating point, not {features.dtype} and {reference.dtype}")
    if features.ndim != 2 or features.shape[1:] != reference.shape[1:]:
        raise InputError(f"features of shape {list(features.shape)} and {list(reference.shape)} are not of one network")
    if len(features) != len(reference):
        raise InputError(
            f"{len(features)} images against {len(reference)}: such measures are biased by the count, take equally many"
        )
