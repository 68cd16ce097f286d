"""Objectives: the way to noise and back, targets, laws of the times."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import generator_for

OBJECTIVES = [
    Objective("flow"),
    Objective("v_prediction"),
    Objective("epsilon", 200, "linear"),
    Objective("epsilon", 1000, "cosine"),
]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 7, 6, generator=generator), torch.randn(5, 7, 6, generator=generator)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_the_clean_latent_comes_back_from_the_exact_target(objective, batch):
    clean, noise = batch
    times = objective.sample_timesteps(5, torch.Generator().manual_seed(1)).clamp(
        1, 0.6 * objective.num_train_timesteps
    )
    if objective.prediction != "flow":
        times = times.floor()
    noisy = objective.add_noise(clean, noise, times)
    target = objective.target(clean, noise, times)
    # epsilon divides by the signal's weight, >= 0.01 here.
    torch.testing.assert_close(objective.clean(noisy, target, times), clean, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("objective", OBJECTIVES[1:], ids=str)
def test_discrete_processes_agree_with_their_diffusers_scheduler(objective, batch):
    clean, noise = batch
    times = torch.tensor([0, 1, 50, 120, 199])
    noisy = objective.add_noise(clean, noise, times.float())
    torch.testing.assert_close(noisy, objective.scheduler.add_noise(clean, noise, times), rtol=1e-5, atol=1e-6)
    if objective.prediction == "v_prediction":
        velocity = objective.scheduler.get_velocity(clean, noise, times)
        torch.testing.assert_close(objective.target(clean, noise, times.float()), velocity, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_the_process_runs_from_data_to_noise(objective):
    last = objective.num_train_timesteps - (0.001 if objective.prediction == "flow" else 1)
    signal, sigma = objective.coefficients(torch.tensor([0.0, last]), torch.zeros(2, 1, 1))
    assert signal[0] > 0.99
    assert sigma[0] < 0.03
    assert signal[1] < 0.05
    assert sigma[1] > 0.99


def test_times_have_their_law_and_depend_on_the_generator_alone():
    flow = Objective("flow", logit_mean=0.5, logit_std=2.0)
    times = flow.sample_timesteps(20_000, generator_for(3)) / 1000
    logits = torch.logit(times)
    assert abs(float(logits.mean()) - 0.5) < 0.05  # 3.5 standard errors
    assert abs(float(logits.std()) - 2.0) < 0.05
    assert torch.equal(times * 1000, flow.sample_timesteps(20_000, generator_for(3)))
    discrete = Objective("epsilon", 200).sample_timesteps(20_000, generator_for(3))
    assert set(discrete.tolist()) == set(map(float, range(200)))


def test_the_ratio_of_noise_to_signal_can_be_log_normal_for_every_process():
    for objective in (
        Objective("flow", logit_mean=-1.2, logit_std=1.2),
        Objective("v_prediction", times="logit_normal", logit_mean=-1.2, logit_std=1.2),
    ):
        times = objective.sample_timesteps(20_000, generator_for(3))
        signal, sigma = objective.coefficients(times, torch.zeros(20_000, 1))
        logarithms = (sigma / signal).log()
        assert abs(float(logarithms.mean()) + 1.2) < 0.03
        assert abs(float(logarithms.std()) - 1.2) < 0.03
    uniform = Objective("flow", times="uniform").sample_timesteps(20_000, generator_for(3)) / 1000
    assert abs(float(uniform.mean()) - 0.5) < 0.01
    assert abs(float(uniform.std()) - 12**-0.5) < 0.01


@pytest.mark.usefixtures("unchecked")
def test_bad_objectives_are_refused():
    for arguments, complaint in [
        (("x0",), "unknown prediction"),
        (("epsilon", 0), "must be >= 1"),
        (("flow", 200), "leave num_train_timesteps"),
        (("epsilon", 200, "sqrt"), "unknown beta schedule"),
        (("flow", 1000, "linear", 0.0, 1.0, False, "cubic"), "unknown times 'cubic'"),
    ]:
        with pytest.raises(InputError, match=complaint):
            Objective(*arguments)
