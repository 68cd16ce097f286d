"""LatentTransform: an exact round trip, statistics, limits."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation.features import from_features, to_features
from gaussiandiffusion.representation.latent import LatentTransform
from gaussiandiffusion.splats import Canvas, Splats

SIGMA = st.floats(1e-3, 2.0)


@settings(max_examples=200, deadline=None)
@given(sigma_x=SIGMA, sigma_y=SIGMA, rho=st.floats(-0.99, 0.99))
def test_the_round_trip_is_exact_for_any_covariance(sigma_x, sigma_y, rho):
    splats = Splats(
        torch.tensor([[[0.3, -0.2]]], dtype=torch.float64),
        torch.tensor([[[sigma_x, sigma_y]]], dtype=torch.float64),
        torch.tensor([[rho]], dtype=torch.float64),
        torch.ones(1, 1, 1, dtype=torch.float64),
        Canvas(8, 8),
    )
    back = from_features(to_features(splats), splats.canvas)
    # h carries an offset of 1e-12 under the root: at most 1e-6 of a nearly round splat's eccentricity.
    torch.testing.assert_close(back.sigmas, splats.sigmas, rtol=2e-6, atol=0)
    torch.testing.assert_close(back.rhos, splats.rhos, rtol=1e-5, atol=2e-6)


def test_the_covariance_features_are_the_matrix_logarithm():
    angle, stretched, thin = 0.7, 0.5, 0.1
    cos, sin = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    axes = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    covariance = axes @ torch.diag(torch.tensor([stretched, thin]) ** 2) @ axes.T
    expected = axes @ torch.diag(2 * torch.tensor([stretched, thin]).log()) @ axes.T
    sigmas = covariance.diagonal().sqrt()
    splats = Splats(
        torch.zeros(1, 1, 2), sigmas[None, None], (covariance[0, 1] / sigmas.prod())[None, None],
        torch.ones(1, 1, 1), Canvas(8, 8),
    )  # fmt: skip
    p, q, r = to_features(splats)[0, 0, 2:5]
    torch.testing.assert_close(
        torch.stack([p + q, r, p - q]), torch.stack([expected[0, 0], expected[0, 1], expected[1, 1]])
    )


@pytest.mark.parametrize("per_slot", [False, True])
def test_latents_are_standardised_and_decode_to_the_sets(make_splats, per_slot):
    splats = make_splats(n=40, channels=3)
    transform = LatentTransform.fit(splats, per_slot=per_slot)
    latent = transform.to_latent(splats)
    over = (0,) if per_slot else (0, 1)
    torch.testing.assert_close(latent.mean(over), torch.zeros_like(latent.mean(over)), atol=1e-5, rtol=0)
    assert float(latent.std(over).max()) < 1.01
    for name, value in transform.from_latent(latent).tensors().items():
        torch.testing.assert_close(value, splats.tensors()[name], rtol=1e-4, atol=1e-5)


def test_any_latent_decodes_to_valid_sets_with_finite_gradients(make_splats):
    transform = LatentTransform.fit(make_splats(n=10), per_slot=False)
    for scale in (0.0, 1.0, 1e3):
        latent = (torch.randn(4, 9, 6, generator=torch.Generator().manual_seed(0)) * scale).requires_grad_()
        splats = transform.from_latent(latent).validate()
        assert float(splats.colors.min()) >= 0
        sum(value.sum() for value in splats.tensors().values()).backward()
        assert bool(torch.isfinite(latent.grad).all())


def test_a_round_splat_has_a_finite_gradient():
    features = torch.zeros(1, 1, 6, requires_grad=True)
    splats = from_features(features, Canvas(8, 8))
    (splats.sigmas.sum() + splats.rhos.sum()).backward()
    assert bool(torch.isfinite(features.grad).all())


def test_opacity_is_folded_into_the_colour(make_splats):
    splats = make_splats(opacities=torch.full((2, 9), 0.5))
    torch.testing.assert_close(to_features(splats)[..., 5:], splats.colors / 2)


def test_another_number_of_slots_is_refused(make_splats):
    transform = LatentTransform.fit(make_splats(n=5), per_slot=True)
    with pytest.raises(InputError, match="fitted for K = 9 slots; these sets have 4"):
        transform.to_latent(make_splats(k=4))


def test_saving_and_loading_is_identity(make_splats, tmp_path):
    splats = make_splats(n=5)
    transform = LatentTransform.fit(splats, per_slot=True)
    transform.save_pretrained(tmp_path)
    loaded = LatentTransform.from_pretrained(tmp_path)
    assert torch.equal(loaded.to_latent(splats), transform.to_latent(splats))
