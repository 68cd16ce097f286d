"""Self-tests of the Fréchet distance: cases whose answer is known."""

import sys

import numpy as np
import pytest
import torch

from gaussiandiffusion.evaluation import extract_features, frechet_distance
from gaussiandiffusion.ground.errors import InputError


def normal_samples(mean, covariance, count: int, seed: int) -> torch.Tensor:
    """Samples whose mean and covariance are exactly the given ones (whitened, then coloured)."""
    raw = torch.from_numpy(np.random.default_rng(seed).normal(size=(count, len(mean))))
    raw = raw - raw.mean(0)
    white = raw @ torch.linalg.inv(torch.linalg.cholesky(raw.T.cov()).T)
    return white @ torch.linalg.cholesky(torch.tensor(covariance).double()).T + torch.tensor(mean)


def test_a_set_has_no_distance_to_itself():
    features = torch.rand(500, 16, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(features, features) < 1e-6


def test_a_permuted_set_has_no_distance_to_itself():
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(500, 16, generator=generator)
    assert frechet_distance(features[torch.randperm(500, generator=generator)], features) < 1e-6


def test_dead_features_do_not_disturb_the_distance():
    features = torch.rand(400, 8, generator=torch.Generator().manual_seed(0))
    shifted = features + 1
    padded, shifted_padded = (torch.cat([f, torch.zeros(400, 5)], dim=1) for f in (features, shifted))
    assert frechet_distance(shifted_padded, padded) == pytest.approx(8, rel=1e-5)


def test_distance_of_two_normal_distributions_is_the_closed_form():
    """Commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2 over the axes."""
    first = normal_samples([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]), 1000, seed=1)
    second = normal_samples([1.0, 1.0, 0.0], np.diag([4.0, 1.0, 9.0]), 1000, seed=2)
    assert frechet_distance(first, second) == pytest.approx((1 + 4) + (1 + 1 + 0), rel=1e-6)


def test_distance_of_correlated_normal_distributions_is_the_closed_form():
    """One set rotated against the other; the trace of the root from eigenvalues of the symmetric form."""
    a, b = np.array([[2.0, 0.9], [0.9, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    values, vectors = np.linalg.eigh(a)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    expected = np.trace(a + b) - 2 * np.sqrt(np.linalg.eigvalsh(root @ b @ root)).sum()
    first, second = normal_samples([0.0, 0.0], a, 800, seed=3), normal_samples([0.0, 0.0], b, 800, seed=4)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_known_distance_through_images_and_the_identity_network(pixel_space, noise_set):
    """Uniform noise on half the range, moved by 128/255 in each of four pixels."""
    low, high = noise_set(4000, seed=1, high=128), noise_set(4000, seed=1, low=128)
    dark, bright = (extract_features(pixel_space.network, s.images) for s in (low, high))
    assert frechet_distance(bright, dark) == pytest.approx(4 * (128 / 255) ** 2, rel=0.02)


def test_distance_is_symmetric():
    generator = torch.Generator().manual_seed(5)
    a, b = torch.rand(100, 6, generator=generator), torch.rand(100, 6, generator=generator) ** 2
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-5)


@pytest.mark.parametrize(
    ("features", "reference", "complaint"),
    [
        (torch.rand(40, 4), torch.rand(41, 4), "equally many"),
        (torch.rand(40, 4), torch.rand(40, 5), "one network"),
        (torch.rand(7, 4), torch.rand(7, 4), "at least 8"),
        (torch.zeros(40, 4, dtype=torch.uint8), torch.rand(40, 4), "floating point"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_unfair_comparisons_are_refused(features, reference, complaint):
    with pytest.raises(InputError, match=complaint):
        frechet_distance(features, reference)


def test_without_torchmetrics_the_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    with pytest.raises(InputError, match=r"pip install 'gaussiandiffusion\[evaluate\]'"):
        frechet_distance(torch.rand(40, 4), torch.rand(40, 4))
