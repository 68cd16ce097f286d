"""Sampling as an iterator: where it begins and ends, what it tells, and what may be done between its steps."""

from itertools import pairwise

import pytest
import torch

from gaussiandiffusion.diffusion import SAMPLERS, Objective, make_scheduler, prepared, sample, times_of
from gaussiandiffusion.ground.errors import InputError

CASES = [(name, prediction) for name, sampler in SAMPLERS.items() for prediction in sampler.predictions]
GOAL = torch.linspace(-0.9, 0.9, 12).view(2, 3, 2)


def oracle(objective):
    """Predicts as if every clean latent were `GOAL`."""

    def denoise(noisy, timestep):
        times = torch.full((len(noisy),), float(timestep)).clamp(max=objective.num_train_timesteps - 1e-3)
        signal, sigma = objective.coefficients(times, noisy)
        return objective.target(GOAL, (noisy - signal * GOAL) / sigma, times)

    return denoise


def run(name, prediction, steps=6, **kwargs):
    objective = Objective(prediction)
    scheduler = prepared(make_scheduler(name, objective.scheduler), steps)
    noise = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    return list(sample(oracle(objective), scheduler, kwargs.pop("latent", noise), generators=generators, **kwargs))


@pytest.mark.parametrize(("name", "prediction"), CASES)
def test_states_tell_step_time_and_a_clean_estimate_that_a_sure_denoiser_makes_right_at_once(name, prediction):
    states = run(name, prediction)
    assert [state.step for state in states] == list(range(len(states)))
    assert all(state.steps == len(states) - 1 for state in states)
    times = [state.time for state in states]
    # Heun's method looks ahead and comes back: its times fall two by two.
    assert all(later <= earlier for earlier, later in pairwise(times))
    assert times[0] > 0.8  # DDPM leads its few times down from there
    assert times[-1] == 0
    assert states[0].clean is states[0].latent
    for state in states[1:]:
        # float32 through a division by the signal's weight, 1e-2 and less at the noisy end of cosine betas.
        torch.testing.assert_close(state.clean, GOAL, rtol=0, atol=0.02)
    torch.testing.assert_close(states[-1].latent, GOAL, rtol=0, atol=0.06)


@pytest.mark.parametrize(("name", "prediction"), CASES)
def test_a_run_may_begin_at_less_noise(name, prediction):
    objective = Objective(prediction)
    scheduler = prepared(make_scheduler(name, objective.scheduler), 8)
    begin = next(time for time in times_of(scheduler) if time <= 0.6)
    times = torch.full((2,), begin * objective.num_train_timesteps)
    noise = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    noisy = objective.add_noise(GOAL, noise, times)
    states = run(name, prediction, 8, latent=noisy, start=0.6)
    assert states[0].time == begin
    assert torch.equal(states[0].latent, noisy)
    assert 1 < len(states) < len(run(name, prediction, 8))
    torch.testing.assert_close(states[-1].latent, GOAL, rtol=0, atol=0.06)


def test_what_is_projected_stays_in_every_state():
    def hold(latent, time):
        held = latent.clone()
        held[:, 0] = time
        return held

    for state in run("few-step", "flow", project=hold):
        assert bool((state.latent[:, 0] == state.time).all())


def test_runs_of_one_scheduler_do_not_touch_each_other():
    shared = make_scheduler("few-step", Objective().scheduler)
    noise = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))

    def wobbly(noisy, timestep):
        return (noisy * 3).sin()

    alone = list(sample(wobbly, prepared(shared, 5), noise))[-1].latent
    runs = [sample(wobbly, prepared(shared, 5), noise + i) for i in range(3)]
    interleaved = list(zip(*runs, strict=True))[-1]
    assert torch.equal(interleaved[0].latent, alone)
    assert not torch.equal(interleaved[1].latent, alone)


def test_a_start_below_all_times_and_eta_without_ddim_are_refused():
    with pytest.raises(InputError, match=r"start must be at least 0\.2"):
        run("few-step", "flow", start=0.01)
    with pytest.raises(InputError, match="eta is for the ddim scheduler only"):
        run("euler", "flow", eta=0.5)
