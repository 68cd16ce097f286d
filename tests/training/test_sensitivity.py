"""Feature weights: what the picture feels counts, what it does not hardly."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import accumulate
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.loss import Draw, denoising_loss
from gaussiandiffusion.training.sensitivity import feature_sensitivity


@pytest.fixture(scope="module")
def encoder():
    return make_encoder(1, num_splats=6, iterations=20)


def of(encoder, sets, per_slot=True):
    representation = SplatRepresentation.fit(encoder, sets, per_slot=per_slot)
    return feature_sensitivity(representation, representation.latent_transform.encode(sets))


def test_geometry_of_a_dark_splat_weighs_least(encoder, strokes):
    sets = encoder.encode(strokes).splats
    colors = sets.colors.clone()
    colors[:, 2] = 0
    weights = of(encoder, Splats(sets.means, sets.sigmas, sets.rhos, colors, sets.canvas))
    assert weights.shape == (6, 6)
    assert float(weights.mean()) == pytest.approx(1)
    assert torch.equal(weights[2, :5], weights.min().expand(5))
    assert float(weights[[0, 1, 3, 4, 5]].mean()) > 3 * float(weights[2].mean())


def test_weights_are_the_derivatives_of_the_picture(encoder, strokes):
    sets = encoder.encode(strokes).splats
    representation = SplatRepresentation.fit(encoder, sets)
    latents = representation.latent_transform.encode(sets)

    def changes(feature):
        def draw(value):
            moved = torch.cat([latents[:1, :, :feature], value[None, :, None], latents[:1, :, feature + 1 :]], -1)
            return accumulate(representation.decode(moved), cutoff=3.5, backend="reference")

        return torch.autograd.functional.jacobian(draw, latents[0, :, feature]).square().mean((0, 1, 2, 3))

    found = torch.stack([changes(feature) for feature in range(6)], -1)
    only = feature_sensitivity(representation, latents[:1])
    free = only > only.min() * 1.01
    ratio = (found / found.mean() / only)[free]
    assert float(ratio.std() / ratio.mean()) < 0.1


def test_sets_without_slots_share_one_row(encoder, strokes):
    weights = of(encoder, encoder.encode(strokes).splats, per_slot=False)
    assert torch.equal(weights, weights[:1].expand(6, 6))
    assert float(weights.mean()) == pytest.approx(1)


def test_weights_scale_each_error_of_the_latent():
    objective, clean = Objective(), torch.randn(4, 3, 6)
    draw = Draw.of(tuple(clean.shape), objective, 0.0, generator_for(0))
    off = torch.zeros(3, 6)
    off[1, 2] = 1.0

    def network(noisy, timesteps, labels, anchors):
        return draw.noise - clean + off

    weights = torch.ones(3, 6)
    weights[1, 2] = 5.0
    plain, weighted = (
        denoising_loss(network, objective, None, clean, None, None, draw, null_label=0, feature_weights=each)[0]
        for each in (None, weights)
    )
    assert float(weighted) == pytest.approx(5 * float(plain), rel=1e-5)


def test_pixels_have_no_such_weights():
    with pytest.raises(InputError, match="feature_weights is for splats"):
        TrainConfig(representation="pixels", feature_weights="sensitivity")
