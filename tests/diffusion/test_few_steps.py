"""Our sampler: of second order, exact where its assumption holds, and honest about its levels."""

import math

import pytest
import torch

from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.ground.errors import InputError

MEAN, STD = 2.0, 0.5


def sample(scheduler, steps, noise):
    """From noise to data under the ideal velocity for data ~ N(MEAN, STD^2)."""
    scheduler.set_timesteps(steps)
    x = noise
    for t in scheduler.timesteps:
        s = float(t) / 1000
        variance = ((1 - s) * STD) ** 2 + s**2
        clean = MEAN + (1 - s) * STD**2 / variance * (x - (1 - s) * MEAN)
        x = scheduler.step((x - clean) / s, t, x).prev_sample
    return x


@pytest.mark.parametrize(("order", "least", "most"), [(1, 1.5, 2.3), (2, 2.7, 4.3)])
def test_halving_the_steps_shrinks_the_error_by_the_order(order, least, most):
    """By 2 or 4, but for a logarithm of the steps: errors near the data weigh more."""
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)
    exact = MEAN + STD * noise  # the flow of a normal law keeps quantiles
    scheduler = FlowMatchFewStepScheduler(solver_order=order, last_level=1e-6)
    coarse, fine = (float((sample(scheduler, n, noise) - exact).abs().max()) for n in (80, 160))
    assert least < coarse / fine < most


def test_an_estimate_that_changes_evenly_is_integrated_exactly():
    scheduler = FlowMatchFewStepScheduler(last_level=0.4)
    scheduler.set_timesteps(3)  # levels 1, 0.7, 0.4
    a, b = 0.7, -1.3

    def velocity(x, s):
        return (x - (a + b * s)) / s

    x = torch.tensor([0.4], dtype=torch.float64)
    x = scheduler.step(velocity(x, 1.0), scheduler.timesteps[0], x).prev_sample  # of first order: nothing is known yet
    s, t = 0.7, 0.4
    exact = t * (x / s + a * (1 / t - 1 / s) - b * math.log(t / s))
    found = scheduler.step(velocity(x, s), scheduler.timesteps[1], x).prev_sample
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_one_step_is_the_clean_estimate(order):
    scheduler = FlowMatchFewStepScheduler(solver_order=order)
    scheduler.set_timesteps(1)
    assert scheduler.timesteps.tolist() == [1000]
    noise, velocity = torch.randn(2, 3), torch.randn(2, 3)
    assert torch.equal(scheduler.step(velocity, scheduler.timesteps[0], noise).prev_sample, noise - velocity)


def test_levels_fall_evenly_and_the_last_is_held():
    scheduler = FlowMatchFewStepScheduler()
    scheduler.set_timesteps(4)
    assert scheduler.sigmas.tolist() == [1, 0.75, 0.5, 0.25, 0]
    scheduler.set_timesteps(9)
    torch.testing.assert_close(scheduler.sigmas, torch.tensor([1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0]))


def test_a_new_run_knows_nothing_of_the_one_before():
    scheduler = FlowMatchFewStepScheduler()
    noise = torch.randn(5, dtype=torch.float64)
    first = sample(scheduler, 6, noise)
    assert torch.equal(first, sample(scheduler, 6, noise))


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="solver_order must be 1 or 2, not 3"):
        FlowMatchFewStepScheduler(solver_order=3)
    for level in (0.0, 1.5, -1.0):
        with pytest.raises(InputError, match=r"last_level must lie in \(0, 1\]"):
            FlowMatchFewStepScheduler(last_level=level)
