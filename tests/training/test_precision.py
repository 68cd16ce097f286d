"""A training's precision: chosen once, kept to the end, told."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.precision import Choice
from gaussiandiffusion.pipeline.precision import faster_for_sampling
from gaussiandiffusion.training import checkpoint, latents
from gaussiandiffusion.training import optimisation as module
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.precision import faster_for_training
from gaussiandiffusion.training.presets import load_config, presets, with_settings
from gaussiandiffusion.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), representation="pixels", patch=4, network="tiny", max_steps=4, batch_size=16,
        log_every=1, sample_every=1000, checkpoint_every=1000, warmup_steps=2, num_inference_steps=2,
    )  # fmt: skip


@pytest.fixture
def chosen(monkeypatch):
    """What the next trials find; the list of those asked."""
    asked = []

    def choose(precision):
        def trial(network, representation, count):
            asked.append(count)
            return Choice(precision, "so it is said")

        for where, name in ((module, "faster_for_training"), (latents, "faster_for_sampling")):
            monkeypatch.setattr(where, name, trial)
        return asked

    return choose


def losses(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"]) for line in lines]


def test_it_is_left_open_by_default():
    assert TrainConfig().optimiser.mixed_precision == "auto"
    assert all(load_config(name).optimiser.mixed_precision == "auto" for name in presets())


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_choice_is_told_kept_and_has_the_effect_of_asking_for_it(config, data, chosen, tmp_path, capsys, precision):
    chosen(precision)
    assert Trainer(config, data, tmp_path / "auto", "cpu").train()
    assert f"precision {precision}: so it is said" in capsys.readouterr().err
    assert json.loads((tmp_path / "auto" / "training.json").read_text())["precision"] == precision
    assert json.loads((tmp_path / "auto" / "config.json").read_text())["optimiser"]["mixed_precision"] == "auto"
    asked = with_settings(config, mixed_precision=precision)
    assert Trainer(asked, data, tmp_path / "asked", "cpu").train()
    assert losses(tmp_path / "auto") == losses(tmp_path / "asked")


def test_a_resumed_training_keeps_the_choice_of_its_beginning(config, data, chosen, tmp_path):
    asked = chosen("bf16")
    assert Trainer(config, data, tmp_path / "whole", "cpu").train()
    stop = lambda step, parts: os.kill(os.getpid(), signal.SIGTERM) if step == 2 else None  # noqa: E731 (shorthand)
    assert not Trainer(config, data, tmp_path / "parts", "cpu", on_step=stop).train()
    chosen("no")
    again = Trainer(config, data, tmp_path / "parts", "cpu")
    assert again.train(resume=True)
    assert (again.work.precision, asked) == ("bf16", [16, 16])
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


@pytest.mark.parametrize("before", ["no", "bf16"])
def test_a_training_of_a_version_that_did_not_choose_goes_on_in_its_precision(config, data, chosen, tmp_path, before):
    short = with_settings(config, mixed_precision=before, max_steps=2)
    assert Trainer(short, data, tmp_path, "cpu").train()
    state = checkpoint.load_checkpoint(tmp_path, short)
    checkpoint.save_checkpoint(tmp_path, replace(state, precision=None), short)
    chosen("no" if before == "bf16" else "bf16")
    again = Trainer(config, data, tmp_path, "cpu")
    assert again.train(resume=True)
    assert again.work.precision == before


def test_a_training_that_was_told_its_precision_refuses_another(config, data, tmp_path):
    assert Trainer(with_settings(config, mixed_precision="no"), data, tmp_path, "cpu").train()
    with pytest.raises(InputError, match="was trained with mixed_precision = 'no', not 'bf16'"):
        Trainer(with_settings(config, mixed_precision="bf16"), data, tmp_path, "cpu").train(resume=True)


def test_trials_of_the_network_leave_no_trace(config, data, tmp_path):
    trainer = Trainer(config, data, tmp_path, "cpu")
    before = [value.clone() for value in trainer.model.state_dict().values()]
    state = torch.get_rng_state()
    for trial in (faster_for_training, faster_for_sampling):
        assert trial(trainer.model, data.representation, 4).precision in ("no", "bf16")
    assert all(map(torch.equal, before, trainer.model.state_dict().values()))
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
    assert torch.equal(state, torch.get_rng_state())


def test_pairs_begun_in_one_precision_go_on_in_it(config, chosen, tmp_path):
    chosen("bf16")
    assert Trainer(config, load_training_set(config, None), tmp_path / "teacher", "cpu").train()
    taught = with_settings(config, teacher=str(tmp_path / "teacher" / "pipeline"), teacher_pairs=6, teacher_steps=2)
    first = load_training_set(taught, None, tmp_path / "pairs")
    chosen("no")
    again = load_training_set(taught, None, tmp_path / "pairs")
    assert torch.equal(first.latents.values, again.latents.values)
    other = load_training_set(taught, None, tmp_path / "elsewhere")
    assert not torch.equal(first.latents.values, other.latents.values)
