"""Samplers: every one integrates the objectives it claims to, from the law it should start with."""

import pytest
import torch

from gaussiandiffusion.diffusion import SAMPLERS, Guidance, Objective, make_scheduler, passes, prediction_of
from gaussiandiffusion.diffusion.schedulers import set_timesteps
from gaussiandiffusion.ground.errors import InputError

CASES = [(name, prediction) for name, sampler in SAMPLERS.items() for prediction in sampler.predictions]


@pytest.mark.parametrize(("name", "prediction"), CASES)
def test_an_exact_denoiser_of_a_known_law_is_sampled_back(name, prediction):
    """Data ~ N(2, 0.5^2): the ideal prediction is known in closed form, so the sampler must land in that law."""
    objective = Objective(prediction)
    scheduler = make_scheduler(name, objective.scheduler)
    assert prediction_of(scheduler) == prediction
    mean, std = 2.0, 0.5
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, 1, generator=generator)
    steps = 200 if name == "ddpm" else 40
    for t in set_timesteps(scheduler, steps):
        signal, sigma = objective.coefficients(torch.full((1,), float(t)).clamp(max=999.999), torch.zeros(1, 1, 1))
        variance = (signal * std) ** 2 + sigma**2
        clean = mean + signal * std**2 / variance * (x - signal * mean)  # E[x0 | x_t]
        noise = (x - signal * clean) / sigma
        output = {"epsilon": noise, "v_prediction": signal * noise - sigma * clean, "flow": noise - clean}[prediction]
        if "generator" in scheduler.step.__code__.co_varnames and name == "ddpm":
            x = scheduler.step(output, t, x, generator=generator).prev_sample
        else:
            x = scheduler.step(output, t, x).prev_sample
    assert abs(float(x.mean()) - mean) < 0.06
    assert abs(float(x.std()) - std) < 0.06


@pytest.mark.parametrize("steps", [4, 10, 199])
@pytest.mark.parametrize("name", ["ddpm", "ddim", "dpm++", "unipc"])
def test_bounded_latents_stay_so_when_sampled_from_a_network_that_errs(name, steps):
    """Cosine betas end at sqrt(abar) = 2e-4, where an error of 1 in epsilon is one of 4000 in the clean latent."""
    objective = Objective("epsilon", 200, "cosine", clip_sample=True)
    scheduler = make_scheduler(name, objective.scheduler)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 9, 6, generator=generator)
    for t in set_timesteps(scheduler, steps):
        x = scheduler.step(torch.randn(x.shape, generator=generator), t, x).prev_sample
    # DDIM's last of 199 steps ends at time 0 and not before it, with noise of deviation 0.011 left.
    assert float(x.abs().max()) <= 1.05


@pytest.mark.parametrize("name", ["ddpm", "ddim", "dpm++", "unipc"])
@pytest.mark.parametrize("total", [200, 1000])
def test_times_are_distinct_and_as_many_as_asked_for(name, total):
    scheduler = make_scheduler(name, Objective("epsilon", total).scheduler)
    for steps in (1, 10, 25, 29, 31, 103, total - 1, total):
        if steps == total and name in ("dpm++", "unipc"):
            with pytest.raises(InputError, match=f"steps must lie between 1 and {total - 1}"):
                set_timesteps(scheduler, steps)
            continue
        times = set_timesteps(scheduler, steps).tolist()
        assert len(set(times)) == len(times) == steps
        assert 0 <= times[-1] <= times[0] < total


def test_clipping_survives_a_change_of_sampler_and_back():
    scheduler = Objective("v_prediction", clip_sample=True).scheduler
    for name in ("dpm++", "ddim", "unipc", "ddpm"):
        scheduler = make_scheduler(name, scheduler)
        assert scheduler.config.thresholding
        assert scheduler.config.sample_max_value == 1
    assert not make_scheduler("ddim", Objective("v_prediction").scheduler).config.thresholding


@pytest.mark.parametrize(("name", "prediction"), [("euler", "epsilon"), ("ddpm", "flow"), ("heun", "v_prediction")])
def test_a_sampler_that_cannot_integrate_the_prediction_is_refused_with_those_that_can(name, prediction):
    with pytest.raises(InputError, match=r"cannot sample .* choose one of .*dpm\+\+"):
        make_scheduler(name, Objective(prediction).scheduler)


def test_unknown_sampler_and_impossible_steps_are_refused():
    scheduler = Objective("flow").scheduler
    with pytest.raises(InputError, match="unknown scheduler 'rk4'; choose one of ddpm"):
        make_scheduler("rk4", scheduler)
    for steps in (0, -3, 1001):
        with pytest.raises(InputError, match="steps must lie between 1 and 1000"):
            set_timesteps(scheduler, steps)


def test_flow_levels_end_with_a_whole_step():
    scheduler = Objective("flow").scheduler
    assert set_timesteps(scheduler, 4).tolist() == [1000, 750, 500, 250]
    assert scheduler.sigmas.tolist() == [1, 0.75, 0.5, 0.25, 0]


def test_passes_count_both_passes_of_guidance_where_it_applies():
    scheduler = Objective("flow").scheduler
    assert passes(scheduler, 4, Guidance()) == 4
    assert passes(scheduler, 4, Guidance(1.5)) == 8
    assert passes(scheduler, 4, Guidance(1.5, 0.4, 0.8)) == 6  # at 0.75 and 0.5
    assert passes(make_scheduler("heun", scheduler), 4, Guidance()) == 7  # the last step is Euler's
