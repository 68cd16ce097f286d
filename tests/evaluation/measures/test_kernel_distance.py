"""Self-tests of the kernel distance."""

import sys

import pytest
import torch

from gaussiandiffusion.evaluation import kernel_distance
from gaussiandiffusion.ground.errors import InputError


def normal(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed)) + shift


def kernel_average(x: torch.Tensor, y: torch.Tensor, same: bool) -> float:
    """Mean of (x . y / f + 1)^3 over all pairs, without a point and itself."""
    values = (x.double() @ y.double().T / x.shape[1] + 1) ** 3
    if same:
        values.fill_diagonal_(0)
    return float(values.sum()) / (len(x) * (len(y) - same))


def test_equal_distributions_are_at_about_zero_and_shifted_ones_are_not():
    reference = normal(2000, seed=0)
    equal, shifted = kernel_distance(normal(2000, seed=1), reference), kernel_distance(normal(2000, 1, 0.5), reference)
    assert abs(equal.mean) < 0.01
    assert shifted.mean > 0.5
    assert equal.std > 0
    assert (equal.subsets, equal.subset_size) == (100, 1000)


def test_the_mean_over_subsets_is_the_unbiased_estimate_over_all():
    features, reference = normal(400, seed=1, shift=0.3), normal(400, seed=2)
    whole = (
        kernel_average(features, features, True)
        + kernel_average(reference, reference, True)
        - 2 * kernel_average(features, reference, False)
    )
    found = kernel_distance(features, reference, subsets=400)
    assert found.mean == pytest.approx(whole, abs=4 * found.std / 400**0.5)


def test_equal_arguments_give_equal_numbers_and_leave_the_random_state():
    features, reference = normal(100, seed=1), normal(100, seed=2)
    state = torch.random.get_rng_state()
    first = kernel_distance(features, reference)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert kernel_distance(features, reference) == first
    assert kernel_distance(features, reference, seed=1).mean != first.mean


@pytest.mark.filterwarnings("error")
def test_it_says_nothing_by_the_way():
    kernel_distance(normal(20, seed=1), normal(20, seed=2), subsets=2)


@pytest.mark.parametrize(
    ("features", "reference", "complaint"),
    [
        (torch.rand(40, 4), torch.rand(41, 4), "equally many"),
        (torch.rand(7, 4), torch.rand(7, 4), "at least 8"),
        (torch.zeros(40, 4, dtype=torch.uint8), torch.rand(40, 4), "floating point"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_unfair_comparisons_are_refused(features, reference, complaint):
    with pytest.raises(InputError, match=complaint):
        kernel_distance(features, reference)


def test_without_torchmetrics_the_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics.image.kid", None)
    with pytest.raises(InputError, match=r"pip install 'gaussiandiffusion\[evaluate\]'"):
        kernel_distance(torch.rand(40, 4), torch.rand(40, 4))
