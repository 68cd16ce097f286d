"""Precision and recall of clouds whose overlap is known."""

import pytest
import torch

from gaussiandiffusion.evaluation import precision_recall
from gaussiandiffusion.ground.errors import InputError


def blob(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed)) + shift


def by_definition(features: torch.Tensor, reference: torch.Tensor, k: int) -> float:
    """Kynkäänniemi et al., eq. 1: the share of features in a ball about a reference point."""
    inside = 0
    for point in features:
        for centre in reference:
            radius = (reference - centre).norm(dim=1).sort().values[k]  # place 0 is the centre itself
            if (point - centre).norm() <= radius:
                inside += 1
                break
    return inside / len(features)


def test_a_set_lies_on_its_own_manifold():
    cloud = blob(50, seed=0)
    found = precision_recall(cloud, cloud)
    assert (found.precision, found.recall) == (1, 1)


def test_distant_clouds_have_neither():
    found = precision_recall(blob(50, seed=0), blob(50, seed=1, shift=100))
    assert (found.precision, found.recall) == (0, 0)


def test_of_two_clusters_one_shared_both_are_one_half():
    generated = torch.cat([blob(200, seed=1), blob(200, seed=2, shift=100)])
    real = torch.cat([generated[:200], blob(200, seed=4, shift=-100)])
    found = precision_recall(generated, real)
    assert (found.precision, found.recall) == (0.5, 0.5)


def test_a_generator_of_one_of_two_clusters_is_precise_and_recalls_half():
    real = torch.cat([blob(200, seed=1), blob(200, seed=2, shift=100)])
    found = precision_recall(torch.cat([real[:200], real[:200] + 1e-6]), real)
    assert found.precision == 1
    assert found.recall == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("block", [7, 512])
def test_blocks_give_what_the_definition_gives(monkeypatch, block):
    monkeypatch.setattr("gaussiandiffusion.evaluation.measures.neighbours.BLOCK", block)
    features, reference = blob(40, seed=1, shift=0.3).double(), blob(40, seed=2).double()
    found = precision_recall(features, reference, neighbours=2)
    assert found.precision == by_definition(features, reference, 2)
    assert found.recall == by_definition(reference, features, 2)


@pytest.mark.parametrize(
    ("features", "reference", "complaint"),
    [
        (torch.rand(40, 4), torch.rand(41, 4), "equally many"),
        (torch.rand(3, 4), torch.rand(3, 4), "no 3 neighbours"),
        (torch.zeros(40, 4, dtype=torch.uint8), torch.rand(40, 4), "floating point"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_unfair_comparisons_are_refused(features, reference, complaint):
    with pytest.raises(InputError, match=complaint):
        precision_recall(features, reference)
