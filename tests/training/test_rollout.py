"""Rollouts: a student meets the latents that its own sampling leads to."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.noise import generator_for
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.loss import Draw, denoising_loss
from gaussiandiffusion.training.rollout import Runs, own_latents


def curved(sample, timestep, labels, anchors):
    """A velocity that bends, so that every step counts."""
    level = timestep[:, None, None] / 1000
    return sample * level + torch.sin(3 * sample) + labels[:, None, None]


def test_each_evaluation_of_each_run_is_met_equally_often():
    runs = Runs.of(20_000, 0.6, generator_for(0))
    assert abs(float((runs.steps > 0).float().mean()) - 0.6) < 0.018  # 5 standard errors
    for steps in (1, 2, 3, 4):
        for taken in range(steps):
            share = ((runs.steps == steps) & (runs.taken == taken)).float().mean()
            assert abs(float(share) - 0.06) < 0.009
    assert bool((runs.taken < runs.steps.clamp(min=1)).all())


def test_own_latents_are_those_of_sampling():
    runs = Runs(torch.tensor([0, 1, 2, 2, 3, 4, 4, 4]), torch.tensor([0, 0, 0, 1, 2, 1, 3, 2]))
    noise = torch.randn(8, 3, 6, generator=generator_for(1))
    labels = torch.arange(8) % 3
    latents, times = own_latents(curved, runs, noise, labels, None)
    for i, (steps, taken) in enumerate(zip(runs.steps.tolist(), runs.taken.tolist(), strict=True)):
        scheduler = FlowMatchFewStepScheduler()
        scheduler.set_timesteps(max(steps, 1))
        latent = noise[i : i + 1]
        for t in scheduler.timesteps[:taken]:
            latent = scheduler.step(curved(latent, t[None], labels[i : i + 1], None), t, latent).prev_sample
        torch.testing.assert_close(latents[i], latent[0], rtol=1e-6, atol=1e-6)
        assert float(times[i]) == float(scheduler.timesteps[taken])


def test_who_leads_every_latent_to_its_pair_has_no_loss_and_others_have_one():
    clean = torch.randn(40, 3, 6, generator=generator_for(2))
    draw = Draw.of((40, 3, 6), Objective(), 0.0, generator_for(3), rollout=0.7)
    labels = torch.arange(40) % 3

    def right(sample, timestep, labels, anchors):
        return (sample - clean) / (timestep[:, None, None] / 1000)

    loss, _ = denoising_loss(right, Objective(), None, clean, labels, None, draw, null_label=9, runner=curved)
    assert float(loss) < 1e-6
    scale = torch.tensor(1.0, requires_grad=True)

    def scaled(sample, timestep, labels, anchors):
        return scale * right(sample, timestep, labels, anchors)

    loss, _ = denoising_loss(scaled, Objective(), None, clean, labels, None, draw, null_label=9, runner=curved)
    (2 * loss).backward()
    assert scale.grad is not None
    assert abs(float(scale.grad)) < 1e-4  # at its minimum: nothing came through the steps behind


def test_without_rollout_a_batch_is_drawn_as_ever():
    plain = Draw.of((5, 3, 6), Objective(), 0.5, generator_for(4))
    rolled = Draw.of((5, 3, 6), Objective(), 0.5, generator_for(4), rollout=1.0)
    assert plain.runs is None
    assert torch.equal(plain.noise, rolled.noise)
    assert torch.equal(plain.dropped, rolled.dropped)
    part = rolled.part(1, 2)
    assert part.runs is not None
    assert rolled.runs is not None
    assert torch.equal(part.runs.steps, rolled.runs.steps[1::2])


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"teacher_rollout": 0.5}, "teacher_rollout needs a teacher"),
        ({"teacher_rollout": 1.5, "teacher": "mnist"}, r"teacher_rollout must lie in \[0, 1\], not 1.5"),
    ],
)
def test_bad_settings_are_refused(settings, complaint):
    with pytest.raises(InputError, match=complaint):
        TrainConfig(**settings)
