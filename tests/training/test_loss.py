"""The loss: zero where the prediction is right, and blind to what the clamp hides."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.training.loss import Draw, denoising_loss, rendered_distance


@pytest.fixture(scope="module")
def scene(strokes):
    encoder = make_encoder(1, num_splats=8, iterations=20)
    representation = SplatRepresentation.fit(encoder, encoder.encode(strokes).splats)
    return representation, representation.encode(strokes)


@pytest.mark.parametrize("prediction", ["flow", "v_prediction", "epsilon"])
def test_the_exact_prediction_costs_nothing(scene, prediction):
    representation, clean = scene
    objective = Objective(prediction)
    draw = Draw.of(tuple(clean.shape), objective, 0.0, generator_for(0))

    def oracle(noisy, timesteps, labels, anchors):
        return objective.target(clean, draw.noise, draw.timesteps)

    loss, parts = denoising_loss(
        oracle, objective, representation, clean, None, None, draw, null_label=0, render_weight=1.0, render_below=0.9
    )
    assert float(loss) < 1e-6
    assert parts["render"] < 1e-6


def test_a_wrong_picture_costs_and_its_gradient_points_back(scene):
    representation, clean = scene
    off = (clean + 0.3).requires_grad_()
    distance = rendered_distance(representation, off, clean)
    (gradient,) = torch.autograd.grad(distance, off)
    better = rendered_distance(representation, (off - 10 * gradient).detach(), clean)
    assert 0 < float(better) < float(distance)


def test_hidden_labels_are_about_as_many_as_asked_for():
    draw = Draw.of((4000, 1, 1), Objective(), 0.1, generator_for(1))
    assert 0.08 < float(draw.dropped.float().mean()) < 0.12


def test_processes_share_a_batch_without_overlap():
    draw = Draw.of((6, 2, 3), Objective(), 0.5, generator_for(1))
    parts = [draw.part(rank, 2) for rank in range(2)]
    assert torch.equal(torch.stack([p.noise for p in parts], 1).flatten(0, 1), draw.noise)
