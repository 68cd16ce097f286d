"""Both forms of a splat's features, scaled either way."""

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation.features import RHO_LIMIT, SIGMA_LIMITS, Form, from_features, to_features
from gaussiandiffusion.representation.latent import SLOT_STD_FLOOR, LatentTransform, Scaling
from gaussiandiffusion.splats import Canvas, Splats

FORMS, SCALINGS = get_args(Form), get_args(Scaling)
SIGMA = st.floats(2**-13, 2**13, width=32)  # powers of two within the limits


@hypothesis_settings(max_examples=200, deadline=None)
@given(sigma_x=SIGMA, sigma_y=SIGMA, rho=st.floats(-1 + 2**-14, 1 - 2**-14, width=32))
def test_deviations_round_trip_without_any_rounding(sigma_x, sigma_y, rho):
    splats = Splats(
        torch.zeros(1, 1, 2), torch.tensor([[[sigma_x, sigma_y]]]), torch.tensor([[rho]]),
        torch.ones(1, 1, 1), Canvas(8, 8),
    )  # fmt: skip
    features = to_features(splats, "deviations")
    torch.testing.assert_close(features[0, 0], torch.tensor([0, 0, sigma_x, sigma_y, rho, 1]), rtol=0, atol=0)
    back = from_features(features, splats.canvas, "deviations")
    assert all(torch.equal(value, splats.tensors()[name]) for name, value in back.tensors().items())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("per_slot", [False, True])
def test_latents_decode_to_the_sets_in_every_form(make_splats, form, scaling, per_slot):
    splats = make_splats(n=20, channels=3)
    transform = LatentTransform.fit(splats, per_slot=per_slot, form=form, scaling=scaling)
    back = transform.from_latent(transform.to_latent(splats)).validate()
    for name, value in back.tensors().items():
        # A few float32 roundings of features of order 1, through exp.
        torch.testing.assert_close(value, splats.tensors()[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("per_slot", [False, True])
def test_min_max_brings_what_the_sets_span_to_one(make_splats, form, per_slot):
    splats = make_splats(n=20)
    transform = LatentTransform.fit(splats, per_slot=per_slot, form=form, scaling="min_max")
    assert transform.bounded
    assert transform.mean.shape == transform.std.shape == (9 if per_slot else 1, 6)
    latent = transform.to_latent(splats)
    over = (0,) if per_slot else (0, 1)
    for extreme, value in ((latent.amin(over), -1.0), (latent.amax(over), 1.0)):
        torch.testing.assert_close(extreme, torch.full_like(extreme, value), rtol=0, atol=1e-5)


def test_a_slot_that_never_moves_is_not_stretched_over_the_range(make_splats):
    splats = make_splats(n=20)
    still = splats.means.clone()
    still[:, 0] = torch.tensor([0.5, -0.5])
    splats = Splats(still, splats.sigmas, splats.rhos, splats.colors, splats.canvas)
    transform = LatentTransform.fit(splats, per_slot=True, scaling="min_max")
    half = (still.flatten(0, 1).amax(0) - still.flatten(0, 1).amin(0)) / 2
    torch.testing.assert_close(transform.std[0, :2], SLOT_STD_FLOOR * half)
    assert float(transform.to_latent(splats)[:, 0, :2].abs().max()) < 1e-5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3, 1e9])
def test_any_latent_decodes_to_valid_sets_with_finite_gradients(make_splats, form, scaling, scale):
    transform = LatentTransform.fit(make_splats(n=10), per_slot=False, form=form, scaling=scaling)
    latent = (torch.randn(4, 9, 6, generator=torch.Generator().manual_seed(0)) * scale).requires_grad_()
    splats = transform.from_latent(latent).validate()
    assert float(splats.rhos.detach().abs().max()) <= RHO_LIMIT
    assert float(splats.sigmas.detach().min()) > 0
    sum(value.sum() for value in splats.tensors().values()).backward()
    assert bool(torch.isfinite(latent.grad).all())


def test_what_is_no_covariance_is_brought_to_the_nearest():
    features = torch.tensor([[[0.0, 0.0, -0.3, 1e9, 1.5, 1.0], [0.0, 0.0, 0.2, 0.0, -1.0, 1.0]]])
    splats = from_features(features, Canvas(8, 8), "deviations")
    low, high = SIGMA_LIMITS
    torch.testing.assert_close(splats.sigmas[0], torch.tensor([[low, high], [0.2, low]]))
    torch.testing.assert_close(splats.rhos[0], torch.tensor([RHO_LIMIT, -RHO_LIMIT]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scaling", SCALINGS)
def test_saving_keeps_form_and_scaling(make_splats, tmp_path, form, scaling):
    splats = make_splats(n=5)
    transform = LatentTransform.fit(splats, per_slot=False, form=form, scaling=scaling)
    transform.save_pretrained(tmp_path)
    loaded = LatentTransform.from_pretrained(tmp_path)
    assert torch.equal(loaded.to_latent(splats), transform.to_latent(splats))


def test_unknown_forms_and_scalings_are_refused_with_those_there_are(unchecked):
    with pytest.raises(InputError, match="unknown latent form 'angles'; choose log_covariance or deviations"):
        LatentTransform(8, 8, form="angles")
    with pytest.raises(InputError, match="unknown latent scaling 'none'; choose standard or min_max"):
        LatentTransform(8, 8, scaling="none")
