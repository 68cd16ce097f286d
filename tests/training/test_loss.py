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


@pytest.mark.parametrize("below", [0.05, 0.4, 1.0])
def test_fixed_shapes_change_no_value_and_no_gradient(scene, below):
    representation, clean = scene
    objective = Objective("flow", times="uniform")
    draw = Draw.of(tuple(clean.shape), objective, 0, Dropout(0.0, 0.0), generator_for(3))
    nothing = Conditions.ask(ConditionSpec({}), len(clean))
    found = []
    for fixed in (False, True):
        off = torch.full_like(clean, 0.1, requires_grad=True)
        network = lambda noisy, *_, off=off: objective.target(clean, draw.noise, draw.timesteps) + off  # noqa: E731 (shorthand)
        loss = DenoisingLoss(objective, representation, 1.0, below, fixed_shapes=fixed)
        total, parts = loss(network, clean, nothing, None, draw)
        found.append((total, parts.get("render"), torch.autograd.grad(total, off)[0]))
    assert found[1][1] > 0
    for plain, fixed in zip(*found, strict=True):
        if plain is not None:  # no time was below: there is no part of the pictures
            torch.testing.assert_close(fixed, plain, rtol=1e-4, atol=1e-7)


def test_as_many_pictures_are_drawn_as_times_are_near_but_for_once_in_hundreds_of_batches(scene):
    loss = DenoisingLoss(Objective("flow"), scene[0], 1.0, 0.5, fixed_shapes=True)
    most, generator = loss._most_near(128), generator_for(5)
    near = [int((Objective().sample_timesteps(128, generator) < 500).sum()) for _ in range(1000)]
    assert 70 < most < 90  # of 128, half of which are near
    assert sum(count > most for count in near) <= 5
    assert DenoisingLoss(Objective("flow"), scene[0], 1.0, 1.0)._most_near(128) == 128


def test_what_is_far_may_be_no_number(scene):
    representation, clean = scene
    objective = Objective("flow", times="uniform")
    draw = Draw.of(tuple(clean.shape), objective, 0, Dropout(0.0, 0.0), generator_for(3))
    off = torch.zeros_like(clean, requires_grad=True)
    huge = torch.where(draw.timesteps[:, None, None] > 400, 1e30, 0.1)
    network = lambda noisy, *_: objective.target(clean, draw.noise, draw.timesteps) + huge + off  # noqa: E731 (shorthand)
    loss = DenoisingLoss(objective, representation, 1.0, 0.4, fixed_shapes=True)
    nothing = Conditions.ask(ConditionSpec({}), len(clean))
    _, parts = loss(network, clean, nothing, None, draw)
    assert bool(parts["render"].isfinite())


@pytest.mark.parametrize("fixed", [False, True])
def test_compared_with_the_images_the_sets_own_error_costs_too(scene, strokes, fixed):
    representation, clean = scene
    objective = Objective("flow", times="uniform")
    draw = Draw.of(tuple(clean.shape), objective, 0, Dropout(0.0, 0.0), generator_for(3))
    nothing = Conditions.ask(ConditionSpec({}), len(clean))
    images = torch.from_numpy(strokes).float() / 255
    oracle = lambda *_: objective.target(clean, draw.noise, draw.timesteps)  # noqa: E731 (shorthand)
    loss = DenoisingLoss(objective, representation, 1.0, 0.4, fixed_shapes=fixed)
    assert loss(oracle, clean, nothing, None, draw)[1]["render"] < 1e-6
    near = draw.timesteps < 400
    drawn = representation.pictures(clean[near])
    expected = (drawn - images[near]).square().mean() * near.float().mean()
    found = loss(oracle, clean, nothing, None, draw, images)[1]["render"]
    assert expected > 1e-5
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0)  # drawn sums beyond the bounds cost nothing


@pytest.mark.parametrize("fixed", [False, True])
def test_compared_with_the_images_only_what_is_fully_asked_for_counts(scene, strokes, fixed):
    representation, clean = scene
    objective = Objective("flow", times="uniform")
    images = torch.from_numpy(strokes).float() / 255
    asked = Conditions.ask(ConditionSpec({"a": ("x", "y"), "b": ("z",)}), len(clean))
    draw = Draw.of(tuple(clean.shape), objective, 2, Dropout(0.1, 0.3), generator_for(3))
    off = torch.full_like(clean, 0.1, requires_grad=True)

    def network(*_):
        return objective.target(clean, draw.noise, draw.timesteps) + off

    with_pictures, without = (
        DenoisingLoss(objective, representation, weight, 1.0, fixed_shapes=fixed)(
            network, clean, asked, None, draw, images
        )[0]
        for weight in (1.0, 0.0)
    )
    (gradient,) = torch.autograd.grad(with_pictures - without, off)
    hidden = draw.dropped.any(1)
    assert 0 < int(hidden.sum()) < len(clean)
    assert not gradient[hidden].any()
    assert gradient[~hidden].flatten(1).any(1).all()


def test_a_wrong_picture_costs_and_its_gradient_points_back(scene):
    representation, clean = scene
    goal = representation.pictures(clean)
    off = (clean + 0.3).requires_grad_()
    distance = representation.picture_loss(off, goal)
    (gradient,) = torch.autograd.grad(distance, off)
    better = representation.picture_loss((off - 10 * gradient).detach(), goal)
    assert 0 < float(better) < float(distance.detach())


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
