"""The seam: images to latents and back, saved with everything it needs."""

import pytest
import torch

from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template, make_encoder
from gaussiandiffusion.rendering import render
from gaussiandiffusion.representation import SplatRepresentation


@pytest.fixture(scope="module", params=["hilbert", "template"])
def representation(request, strokes):
    if request.param == "hilbert":
        encoder = make_encoder(1, num_splats=10, iterations=30)
    else:
        settings = default_settings(1, num_splats=10, start="template", iterations=30)
        encoder = FitEncoder(settings, learn_template(strokes, settings, rounds=3))
    return SplatRepresentation.fit(encoder, encoder.encode(strokes).splats)


def test_latents_lead_back_to_the_encoded_pictures(representation, strokes):
    latents = representation.to_latent(strokes)
    assert latents.shape == (len(strokes), *representation.latent_shape)
    splats = representation.encoder().encode(strokes).splats
    expected = representation.draw(splats)
    got = representation.draw(representation.from_latent(latents))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_a_set_is_drawn_alike_alone_and_among_others(representation, strokes):
    splats = representation.from_latent(representation.to_latent(strokes))
    drawn = representation.draw(splats)
    assert torch.equal(representation.draw(splats[1:2]), drawn[1:2])
    torch.testing.assert_close(drawn, render(splats, backend="reference"), rtol=0, atol=1e-5)


def test_saving_keeps_template_statistics_and_settings(representation, strokes, tmp_path):
    representation.save_pretrained(tmp_path)
    loaded = SplatRepresentation.from_pretrained(tmp_path)
    assert loaded.settings == representation.settings
    assert torch.equal(loaded.anchors, representation.anchors)
    assert torch.equal(loaded.to_latent(strokes), representation.to_latent(strokes))


def test_anchors_are_standardised_and_follow_the_slots(representation):
    anchors = representation.anchors
    assert anchors.shape == representation.latent_shape
    torch.testing.assert_close(anchors.mean(0), torch.zeros(6), rtol=0, atol=1e-4)
    assert len(torch.unique(anchors, dim=0)) == len(anchors)


def test_sets_without_slots_have_no_anchors(strokes):
    encoder = make_encoder(1, num_splats=10, iterations=5)
    assert SplatRepresentation.fit(encoder, encoder.encode(strokes).splats, per_slot=False).anchors is None


@pytest.mark.parametrize("per_slot", [False, True])
def test_the_published_form_is_kept_when_saved(strokes, tmp_path, per_slot):
    encoder = make_encoder(1, num_splats=10, start="random", iterations=10)
    sets = encoder.encode(strokes).splats
    representation = SplatRepresentation.fit(encoder, sets, per_slot=per_slot, form="deviations", scaling="min_max")
    assert representation.bounded
    representation.save_pretrained(tmp_path)
    loaded = SplatRepresentation.from_pretrained(tmp_path)
    latents = loaded.to_latent(strokes)
    assert torch.equal(latents, representation.to_latent(strokes))
    assert float(latents.abs().max()) <= 1 + 1e-5
    torch.testing.assert_close(loaded.from_latent(latents).sigmas, sets.sigmas, rtol=1e-4, atol=1e-5)
    assert (loaded.anchors is not None) == per_slot
