"""The loss: zero where the prediction is right, and blind to what the clamp hides."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.training.loss import DenoisingLoss, Draw, Dropout


@pytest.fixture(scope="module")
def scene(strokes):
    encoder = make_encoder(1, num_splats=8, iterations=20)
    representation = SplatRepresentation.fit(encoder, encoder.encode(strokes).splats)
    return representation, representation.to_latent(strokes)


@pytest.mark.parametrize("prediction", ["flow", "v_prediction", "epsilon"])
def test_the_exact_prediction_costs_nothing(scene, prediction):
    representation, clean = scene
    objective = Objective(prediction)
    draw = Draw.of(tuple(clean.shape), objective, 0, Dropout(0.0, 0.0), generator_for(0))

    def oracle(noisy, timesteps, labels, anchors):
        return objective.target(clean, draw.noise, draw.timesteps)

    nothing = Conditions.ask(ConditionSpec({}), len(clean))
    loss, parts = DenoisingLoss(objective, representation, 1.0, 0.9)(oracle, clean, nothing, None, draw)
    assert float(loss) < 1e-6
    assert parts["render"] < 1e-6


def test_a_wrong_picture_costs_and_its_gradient_points_back(scene):
    representation, clean = scene
    off = (clean + 0.3).requires_grad_()
    distance = representation.picture_loss(off, clean)
    (gradient,) = torch.autograd.grad(distance, off)
    better = representation.picture_loss((off - 10 * gradient).detach(), clean)
    assert 0 < float(better) < float(distance)


def test_hidden_labels_are_about_as_many_as_asked_for():
    draw = Draw.of((4000, 1, 1), Objective(), 1, Dropout(0.1, 0.5), generator_for(1))
    assert 0.08 < float(draw.dropped.float().mean()) < 0.12


def test_of_several_attributes_all_are_hidden_together_and_each_now_and_then_alone():
    draw = Draw.of((20_000, 1, 1), Objective(), 3, Dropout(0.1, 0.2), generator_for(1))
    assert abs(float(draw.dropped.all(1).float().mean()) - (0.1 + 0.9 * 0.2**3)) < 0.01
    for column in draw.dropped.T:
        assert abs(float(column.float().mean()) - (0.1 + 0.9 * 0.2)) < 0.01  # 3.5 standard errors
    alone = draw.dropped[:, 0] & ~draw.dropped[:, 1:].any(1)
    assert abs(float(alone.float().mean()) - 0.9 * 0.2 * 0.8**2) < 0.01


def test_hidden_conditions_reach_the_network_as_open(scene):
    representation, clean = scene
    spec = ConditionSpec({"hair": ("red", "green"), "action": ("walk", "sit")})
    asked = Conditions.ask(spec, len(clean), {"hair": "green", "action": "sit"})
    draw = Draw.of(tuple(clean.shape), Objective(), 2, Dropout(0.3, 0.3), generator_for(2))
    seen = []

    def network(noisy, timesteps, conditions, anchors):
        seen.append(conditions)
        return noisy

    DenoisingLoss(Objective(), representation)(network, clean, asked, None, draw)
    assert torch.equal(seen[0], torch.where(draw.dropped, 2, 1))


def test_processes_share_a_batch_without_overlap():
    draw = Draw.of((6, 2, 3), Objective(), 1, Dropout(0.5, 0.0), generator_for(1))
    parts = [draw.part(rank, 2) for rank in range(2)]
    assert torch.equal(torch.stack([p.noise for p in parts], 1).flatten(0, 1), draw.noise)
