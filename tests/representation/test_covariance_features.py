"""The latent's covariance features in float32, and what belongs to each slot."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gaussiandiffusion.representation.features import from_features, to_features
from gaussiandiffusion.representation.latent import SLOT_STD_FLOOR, LatentTransform
from gaussiandiffusion.splats import Canvas, Splats


# At 0.001, ratio 1/100 and rho 0.99 the area would lie below the limit that features are brought to.
@hypothesis_settings(max_examples=300, deadline=None)
@given(sigma=st.floats(2e-3, 2.0), ratio=st.floats(-2, 2), rho=st.floats(-0.99, 0.99))
def test_float32_round_trips_up_to_ratio_100_and_rho_099(sigma, ratio, rho):
    sigmas = torch.tensor([[[sigma, sigma * 10**ratio]]])
    splats = Splats(torch.zeros(1, 1, 2), sigmas, torch.tensor([[rho]]), torch.ones(1, 1, 1), Canvas(8, 8))
    back = from_features(to_features(splats), splats.canvas)
    # Logarithms of variances reach -23 here: a few roundings of that, through exp, are about 1e-5.
    torch.testing.assert_close(back.sigmas, splats.sigmas, rtol=2e-5, atol=0)
    # d rho = (1 - rho^2) d atanh(rho), so the same error never grows.
    torch.testing.assert_close(back.rhos, splats.rhos, rtol=0, atol=2e-5)


def test_turning_a_splat_turns_its_features(make_splats):
    """log(R Sigma R^T) = R log(Sigma) R^T: p stays and (q, r) turns by twice the angle."""
    splats = make_splats(dtype=torch.float64)
    before, after = (to_features(s)[..., 2:5].unbind(-1) for s in (splats, splats.rotate(30)))
    torch.testing.assert_close(after[0], before[0])
    turned = torch.complex(before[1], before[2]) * torch.exp(torch.tensor(1j * torch.pi / 3))
    torch.testing.assert_close(torch.complex(after[1], after[2]), turned)


def test_permuting_slots_permutes_latents_and_statistics(make_splats):
    splats = make_splats(n=12)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    plain, permuted = (LatentTransform.fit(s, per_slot=True) for s in (splats, splats.select(order)))
    torch.testing.assert_close(permuted.mean, plain.mean[order])
    torch.testing.assert_close(permuted.to_latent(splats.select(order)), plain.to_latent(splats)[:, order])


def test_every_slot_has_its_own_statistics_and_still_slots_a_floor(make_splats):
    splats = make_splats(n=30)
    still = splats.means.clone()
    still[:, 0] = torch.tensor([0.5, -0.5])  # slot 0 never moves
    splats = Splats(still, splats.sigmas, splats.rhos, splats.colors, splats.canvas)
    transform, features = LatentTransform.fit(splats, per_slot=True), to_features(splats)
    torch.testing.assert_close(transform.mean, features.mean(0))
    torch.testing.assert_close(transform.std[1:], features.std(0)[1:])
    spread = features.flatten(0, 1).std(0)
    torch.testing.assert_close(transform.std[0, :2], SLOT_STD_FLOOR * spread[:2])
    assert float(transform.to_latent(splats)[:, 0, :2].abs().max()) < 1e-5
    shared = LatentTransform.fit(splats, per_slot=False)
    assert shared.mean.shape == shared.std.shape == (1, 6)


@pytest.mark.parametrize("signed", [False, True])
def test_negative_colours_survive_only_where_they_are_meant(make_splats, signed):
    splats = make_splats(n=5)
    splats = Splats(splats.means, splats.sigmas, splats.rhos, splats.colors - 0.5, splats.canvas)
    transform = LatentTransform.fit(splats, per_slot=False, signed=signed)
    colors = transform.from_latent(transform.to_latent(splats)).colors
    # Standardising and back: two float32 roundings of numbers of order 1.
    torch.testing.assert_close(colors, splats.colors if signed else splats.colors.clamp_min(0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("offset", [1e-4, -1e-4])
def test_the_gradient_beside_a_round_splat_is_that_of_its_size(offset):
    """Sigma = e^p (1 + [[q, r], [r, -q]] + ...), so d sigma_x is sigma_x / 2 (dp + dq)."""
    features = torch.zeros(1, 1, 6, dtype=torch.float64)
    features[..., 2], features[..., 3] = -3.0, offset
    sigma_x = from_features(features.requires_grad_(), Canvas(8, 8)).sigmas[0, 0, 0]
    (grad,) = torch.autograd.grad(sigma_x, features)
    half = float(sigma_x.detach()) / 2
    # The next terms are of the offset's order, 1e-4.
    assert grad[0, 0, 2:5].tolist() == pytest.approx([half, half, 0.0], rel=1e-3, abs=1e-6)
