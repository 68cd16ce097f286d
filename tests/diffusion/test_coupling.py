"""Couplings: the cheapest of all permutations, and noise that as a set is what it was."""

import itertools

import pytest
import torch

from gaussiandiffusion.diffusion import couple
from gaussiandiffusion.ground.seeds import generator_for


def pair(n, k, f=3):
    return torch.randn(2, n, k, f, generator=generator_for(0))


def test_independent_noise_is_left_alone():
    clean, noise = pair(3, 4)
    assert couple(clean, noise, "independent", generator_for(1)) is noise


def test_optimal_is_the_least_of_all_permutations():
    clean, noise = pair(6, 5)
    coupled = couple(clean, noise, "optimal", generator_for(1))
    for i in range(6):
        costs = [(clean[i] - noise[i, list(p)]).square().sum() for p in itertools.permutations(range(5))]
        torch.testing.assert_close((clean[i] - coupled[i]).square().sum(), min(costs))


def test_the_order_of_the_noise_does_not_matter():
    clean, noise = pair(2, 8)
    shuffled = noise[:, torch.randperm(8, generator=generator_for(2))]
    assert torch.equal(*(couple(clean, n, "optimal", generator_for(1)) for n in (noise, shuffled)))


def test_permuting_the_splats_permutes_their_noise():
    clean, noise = pair(2, 8)
    order = torch.randperm(8, generator=generator_for(2))
    coupled = couple(clean, noise, "optimal", generator_for(1))
    assert torch.equal(couple(clean[:, order], noise, "optimal", generator_for(1)), coupled[:, order])


@pytest.mark.parametrize("coupling", ["optimal", "hybrid"])
def test_as_a_set_the_noise_stays_normal_and_nears_the_splats(coupling):
    clean, noise = pair(2000, 6)
    coupled = couple(clean, noise, coupling, generator_for(1))
    assert abs(float(coupled.mean())) < 0.02
    assert abs(float(coupled.std()) - 1) < 0.02
    gram = coupled.flatten(0, 1).T.cov()
    torch.testing.assert_close(gram, torch.eye(3), atol=0.05, rtol=0)
    assert (clean - coupled).square().mean() < 0.8 * (clean - noise).square().mean()


def test_hybrid_lies_between():
    clean, noise = pair(200, 6)
    near, between, far = (
        float((clean - couple(clean, noise, c, generator_for(1))).square().mean())
        for c in ("optimal", "hybrid", "independent")
    )
    assert near < between < far
