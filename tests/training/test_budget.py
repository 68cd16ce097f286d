"""Budgets of time: steps are timed, undone, and their number fixed."""

import json
import os
import signal
import time

import pytest
import torch
from safetensors.torch import load_file

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training import trainer as module
from gaussiandiffusion.training.budget import StepTimes, overrun, time_steps
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.minutes import budget_minutes
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer

WEIGHTS = "pipeline/denoiser/diffusion_pytorch_model.safetensors"
SECONDS = 0.125  # that a step is said to take
STEPS = 9  # what the budget then holds


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), representation="pixels", patch=4, network="tiny", budget="0.02", batch_size=16,
        log_every=1, sample_every=1000, checkpoint_every=1000, warmup_steps=2, mixed_precision="no",
        num_inference_steps=2,
    )  # fmt: skip


@pytest.fixture
def clock(monkeypatch):
    """Steps are taken as ever, but said to last so many seconds; counts how often they were timed."""
    calls = []
    measure = module.time_steps

    def set_to(seconds):
        def timed(step, device, limit, most):
            assert limit == pytest.approx(0.05 * 1.2)
            assert measure(step, device, limit, most).seconds > 0
            calls.append(seconds)
            return StepTimes(seconds, count=3, spent=0.0)

        monkeypatch.setattr(module, "time_steps", timed)
        return calls

    return set_to


def losses(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"], line["grad_norm"], line["learning_rate"]) for line in lines]


def same(folder, other):
    weights, others = load_file(folder / WEIGHTS), load_file(other / WEIGHTS)
    return losses(folder) == losses(other) and all(torch.equal(weights[name], others[name]) for name in weights)


def test_budgets_go_by_letter_or_minutes():
    assert [budget_minutes(each) for each in ("S", "M", "L", "2.5")] == [8, 30, 90, 2.5]


@pytest.mark.parametrize("words", ["X", "s", "", "0", "-3", "nan", "inf"])
def test_bad_budgets_are_refused(words):
    with pytest.raises(InputError, match=f"budget must be S, M, L or a number of minutes > 0, not '{words}'"):
        with_settings(TrainConfig(), budget=words)


def test_timing_leaves_no_trace(config, data, clock, tmp_path):
    clock(SECONDS)
    assert Trainer(config, data, tmp_path / "budget", "cpu").train()
    saved = json.loads((tmp_path / "budget" / "config.json").read_text())
    assert saved["optimiser"]["max_steps"] == STEPS
    known = with_settings(config, budget=None, max_steps=STEPS)
    assert Trainer(known, data, tmp_path / "known", "cpu").train()
    assert len(losses(tmp_path / "known")) == STEPS
    assert same(tmp_path / "budget", tmp_path / "known")


@pytest.mark.parametrize("seconds", [SECONDS / 10, SECONDS * 10])
@pytest.mark.parametrize("step", [0, 4])
def test_a_faster_or_slower_machine_goes_on_with_the_number_found_at_first(
    config, data, clock, tmp_path, seconds, step
):
    calls = clock(SECONDS)
    assert Trainer(config, data, tmp_path / "whole", "cpu").train()

    def send(taken, parts):
        if taken == step:
            os.kill(os.getpid(), signal.SIGTERM)

    interrupted = Trainer(config, data, tmp_path / "parts", "cpu", on_step=send)
    batches = interrupted._batches
    if step == 0:  # before the first step that counts

        def load_and_signal():
            if interrupted.seconds_per_step is not None:
                os.kill(os.getpid(), signal.SIGTERM)
            return batches()

        interrupted._batches = load_and_signal
    assert interrupted.train() is False
    assert interrupted.step == step
    clock(seconds)
    again = Trainer(config, data, tmp_path / "parts", "cpu")
    assert again.train(resume=True)
    assert (again.step, again.seconds_per_step, calls) == (STEPS, SECONDS, [SECONDS] * 2)
    assert same(tmp_path / "parts", tmp_path / "whole")
    record = json.loads((tmp_path / "parts" / "training.json").read_text())
    assert record["budget_seconds_per_step"] == SECONDS


def test_steps_are_timed_for_a_bounded_time_with_a_bar_from_the_first_on(capsys):
    taken = []

    def step():
        taken.append(capsys.readouterr().err)
        time.sleep(0.3 if len(taken) == 1 else 0.004)  # compiles first

    times = time_steps(step, torch.device("cpu"), limit=0.02)
    assert "timing steps" in taken[0]
    assert 3 <= times.count <= 5
    assert len(taken) == times.count + 1
    assert 0.004 <= times.seconds < 0.1
    assert times.count * 0.004 <= times.spent < 0.25
    assert time_steps(lambda: None, torch.device("cpu"), limit=0.0).count == 3
    assert time_steps(lambda: None, torch.device("cpu"), most=7).count == 7


def test_the_timing_is_part_of_the_budget():
    assert StepTimes(0.5, count=4, spent=2.0).steps_in(minutes=0.2) == 20
    assert StepTimes(0.5, count=4, spent=2.0).steps_in(minutes=0.01) == 1


def test_what_came_out_is_told(config, data, clock, tmp_path, capsys):
    clock(SECONDS)
    assert Trainer(config, data, tmp_path, "cpu").train()
    assert f"budget of 0.02 minutes: {STEPS} steps of 125 ms" in capsys.readouterr().err


def test_a_budget_that_was_not_held_says_why():
    assert overrun(1.0, 0.1, 600, 65) is None
    busier = overrun(1.0, 0.1, 600, 90)
    assert "took 1.5: a step took 150 ms, 100 when it was timed; the machine became busier" in busier
    freer = overrun(1.0, 0.1, 600, 30)
    assert "took 0.5: a step took 50 ms, 100" in freer
    assert "became less busy" in freer
    assert overrun(1.0, 0.1, 570, 57) is None  # the timing took 3 s
    assert "a step takes 10000 ms" in overrun(0.1, 10.0, 1, 10.0)  # which the budget does not hold once


def test_another_budget_does_not_continue_it(config, data, clock, tmp_path):
    clock(SECONDS)
    assert Trainer(config, data, tmp_path, "cpu").train()
    with pytest.raises(InputError, match=r"was trained with budget = '0.02', not 'S'"):
        Trainer(with_settings(config, budget="S"), data, tmp_path, "cpu").train(resume=True)
