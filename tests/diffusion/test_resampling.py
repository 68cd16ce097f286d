"""Steps taken several times, steps backwards, and runs that begin at any time: on data whose best estimate is known."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective, make_scheduler, prepared, sample, times_of
from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.inversion import invert
from gaussiandiffusion.diffusion.resampling import Resampling
from gaussiandiffusion.diffusion.schedulers import clean_estimate, coefficients, output_for
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import generator_for

SPREAD = 0.5  # of the data, which are normal


def scheduler_of(prediction):
    return FlowMatchFewStepScheduler() if prediction == "flow" else Objective(prediction).scheduler


def best(scheduler):
    """The denoiser that knows the data."""

    def denoise(noisy, timestep):
        signal, sigma = coefficients(scheduler, float(timestep) / 1000)
        clean = noisy * signal * SPREAD**2 / (signal**2 * SPREAD**2 + sigma**2)
        return output_for(scheduler, noisy, clean, float(timestep))

    return denoise


@pytest.mark.parametrize("prediction", ["flow", "epsilon", "v_prediction"])
def test_an_output_is_found_for_every_clean_latent(prediction):
    scheduler, noisy, clean = scheduler_of(prediction), torch.randn(3, 4), torch.randn(3, 4)
    output = output_for(scheduler, noisy, clean, 400.0)
    torch.testing.assert_close(clean_estimate(scheduler, noisy, output, 400.0), clean)


@pytest.mark.parametrize("prediction", ["flow", "v_prediction"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_samples_have_the_law_of_the_data_however_often_steps_are_taken(prediction, rounds):
    of = make_scheduler("euler", Objective("flow").scheduler) if prediction == "flow" else scheduler_of(prediction)
    scheduler = prepared(Resampling(of, rounds), 80)
    assert len(scheduler.timesteps) == rounds * (80 if prediction == "flow" else 79)  # one of DDPM's is time 0
    noise = torch.randn(5_000, 1, generator=generator_for(1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        *_, last = sample(best(scheduler), scheduler, noise)
    assert last.time == 0
    assert last.latent.std().item() == pytest.approx(SPREAD, rel=0.04)  # steps of first order


def test_a_round_more_draws_noise_from_the_samples_own_generators():
    def end(rows):
        scheduler = prepared(Resampling(FlowMatchFewStepScheduler(), 2), 4)
        generators = [generator_for(0, row) for row in rows]
        noise = torch.ones(len(rows), 3)
        *_, last = sample(best(scheduler), scheduler, noise, generators=generators)
        return last.latent

    torch.testing.assert_close(end([0, 1, 2])[2], end([2])[0], rtol=0, atol=0)
    assert not torch.equal(end([0])[0], end([1])[0])


@pytest.mark.parametrize("prediction", ["flow", "v_prediction"])
def test_data_led_to_noise_comes_back(prediction):
    of = FlowMatchFewStepScheduler(last_level=0.05) if prediction == "flow" else scheduler_of(prediction)
    clean = SPREAD * torch.randn(200, 2, generator=generator_for(2))
    way, back = (prepared(Resampling(of, 1), 20) for _ in range(2))
    noise = invert(best(way), way, clean)
    *_, last = sample(best(back), back, noise)
    assert (last.latent - clean).abs().max() < 0.05  # the last step forgets its noise
    assert noise.std().item() == pytest.approx(1, abs=0.15)


def test_a_run_begins_at_any_time():
    few = FlowMatchFewStepScheduler()
    assert times_of(prepared(few, 10, 0.3)) == pytest.approx([0.3, 0.25, 0.2])
    assert times_of(prepared(few, 10, 0.1)) == pytest.approx([0.1])  # below its last level in one step
    euler = make_scheduler("euler", few)
    assert times_of(prepared(euler, 10, 0.3)) == pytest.approx([0.3, 0.2, 0.1])
    ended = [*sample(best(few), prepared(few, 10, 0.1), torch.ones(1, 1), start=0.1)]
    assert [state.time for state in ended] == pytest.approx([0.1, 0])


def test_an_estimate_can_be_led_elsewhere():
    scheduler = prepared(FlowMatchFewStepScheduler(), 3)
    told = []

    def steer(clean, time):
        told.append(time)
        return torch.full_like(clean, 2.0)

    *_, last = sample(best(scheduler), scheduler, torch.randn(4, 2), steer=steer)
    torch.testing.assert_close(last.latent, torch.full((4, 2), 2.0))
    torch.testing.assert_close(last.clean, torch.full((4, 2), 2.0))
    assert told == pytest.approx([1, 2 / 3, 1 / 3])


def test_no_rounds_are_refused():
    with pytest.raises(InputError, match="rounds must be >= 1"):
        Resampling(FlowMatchFewStepScheduler(), 0)
