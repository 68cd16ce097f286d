"""Conditions asked for, states watched as they are made, threads, and chunks by device."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import make_network
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, checked_run
from gaussiandiffusion.pipeline.chunks import chunk_size
from gaussiandiffusion.representation import PixelRepresentation

SAVED = Path(__file__).parents[1] / "fixtures" / "saved"
HERO = ConditionSpec({"hair": ("red", "green", "none"), "action": ("walk", "slash")})


@pytest.fixture(scope="module")
def hero():
    """An untrained model of 8x8 pixels in patches that hears two attributes."""
    representation = PixelRepresentation(8, 8, 1, 4)
    torch.manual_seed(0)
    network = make_network("tiny", representation.latent_shape, conditions=HERO, num_anchor_features=2)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    scheduler = Objective().scheduler
    return GaussianDiffusionPipeline(network.eval(), representation, scheduler, num_inference_steps=3, chunk_size=4)


@pytest.fixture(scope="module")
def spots():
    return GaussianDiffusionPipeline.from_pretrained(SAVED / "template-few-step")


def test_attributes_are_asked_for_by_name_and_heard(hero):
    asked = {"hair": "green", "action": "slash"}
    out = hero(6, conditions=asked)
    assert out.labels is None
    assert out.conditions.words() == {"hair": ["green"] * 6, "action": ["slash"] * 6}
    for other in ({"hair": "red"}, {"action": "walk"}, {"action": None}):
        assert not torch.equal(hero(6, conditions=asked | other).images, out.images)
    assert torch.equal(hero(2, conditions=asked).images, out.images[:2])


def test_attributes_that_are_left_out_are_drawn_by_seed_and_are_a_samples_own(hero):
    out = hero(8, conditions={"hair": "red"}, seed=3)
    assert set(out.conditions.words()["action"]) == {"walk", "slash"}
    later = hero(4, conditions={"hair": "red"}, seed=3, first_sample=4)
    assert torch.equal(later.images, out.images[4:])
    assert later.conditions.words()["action"] == out.conditions.words()["action"][4:]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"class_labels": 1}, r"several attributes \(hair, action\)"),
        ({"conditions": {"hair": "blue"}}, "unknown hair 'blue'; known are red, green, none"),
        ({"conditions": {"wings": 2}}, "unknown attribute 'wings'; known are hair, action"),
        ({"conditions": {"hair": ["red", "green"]}}, "2 values of hair were given for 1 samples"),
        ({"conditions": {"hair": 1}, "class_labels": 1}, "not both"),
    ],
)
def test_requests_that_the_model_does_not_know_are_refused(hero, arguments, complaint):
    with pytest.raises(InputError, match=complaint):
        hero(**arguments)


def test_the_stream_is_every_state_and_ends_with_the_sample(spots):
    out = spots(2, seed=4, return_trajectory=True)
    states = list(spots.stream(2, seed=4))
    assert [state.step for state in states] == [0, 1, 2, 3]
    assert [state.steps for state in states] == [3] * 4
    assert states[0].time == 1
    assert states[-1].time == 0
    for state, kept in zip(states, out.trajectory, strict=True):
        assert torch.equal(state.splats.means, kept.means)
        assert state.images().shape == state.clean_images().shape == (2, 1, 8, 8)
    assert torch.equal(states[-1].images(), out.images)
    # The last step of this sampler leads to its estimate.
    torch.testing.assert_close(states[-1].clean.means, out.splats.means)
    assert not torch.equal(states[1].clean.means, out.splats.means)


def test_a_callback_sees_step_time_and_clean_estimate_of_every_chunk(hero):
    seen = []
    hero(6, callback=lambda state: seen.append((state.first, state.count, state.step, state.time, state.clean.shape)))
    assert [each[2] for each in seen if each[0] == 0] == [1, 2, 3]
    seen.sort(key=lambda each: each[0])  # chunks are made side by side
    assert [each[:3] for each in seen] == [(0, 4, 1), (0, 4, 2), (0, 4, 3), (4, 2, 1), (4, 2, 2), (4, 2, 3)]
    assert [round(each[3], 2) for each in seen[:3]] == [0.67, 0.33, 0.0]
    assert [each[4] for each in seen] == [(4, 1, 8, 8)] * 3 + [(2, 1, 8, 8)] * 3


@pytest.mark.parametrize("scheduler", ["few-step", "dpm++", "unipc", "heun"])
def test_one_pipeline_serves_several_threads(spots, scheduler):
    pipeline = spots.with_scheduler(scheduler)
    requests = [(seed, 2 + seed % 5) for seed in range(12)]

    def images(request):
        seed, steps = request
        return pipeline(3, seed=seed, num_inference_steps=steps).images

    alone = [images(request) for request in requests]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(images, requests))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_states_carry_no_gradients_and_leave_the_callers_mode_alone(spots):
    for state in spots.states(checked_run(spots, 2)):
        assert torch.is_grad_enabled()
        assert not state.latent.requires_grad
        assert not state.clean.requires_grad


def test_a_run_may_begin_elsewhere_and_be_held(spots):
    run = checked_run(spots, 2, 1)
    first, *_, last = spots.states(run)

    def hold(latent, time):
        return torch.cat([first.latent[:, :1], latent[:, 1:]], 1)

    *_, held = spots.states(run, project=hold)
    assert torch.equal(held.latent[:, 0], first.latent[:, 0])
    *_, again = spots.states(run, latent=first.latent)
    assert torch.equal(again.latent, last.latent)


def test_chunks_go_by_kind_of_device_and_size_of_network_and_may_be_fixed(spots):
    small, large = torch.nn.Linear(10, 10), torch.nn.Linear(5000, 1000)
    assert chunk_size("cpu", small) == 32 > chunk_size("cpu", large)
    assert chunk_size("cuda", small) > chunk_size("cuda", large) > 32
    with torch.device("meta"):
        huge = torch.nn.Linear(10_000, 10_000)
    assert chunk_size("cuda", huge) < chunk_size("cuda", large)
    assert spots.chunk_size == 32
    assert spots.config.chunk_size is None


def test_an_old_folders_default_chunk_goes_by_device_and_a_chosen_one_stays(spots, tmp_path):
    chosen = GaussianDiffusionPipeline.from_pretrained(SAVED / "template-few-step", chunk_size=5)
    chosen.save_pretrained(tmp_path)
    assert GaussianDiffusionPipeline.from_pretrained(tmp_path).chunk_size == 5
