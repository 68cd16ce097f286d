"""Trainings that end by the clock and go on elsewhere."""

import json
import shutil
import time

import pytest

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), representation="pixels", patch=4, network="tiny", max_steps=6, batch_size=16,
        log_every=1, sample_every=1000, checkpoint_every=1000, warmup_steps=2, num_inference_steps=2,
    )  # fmt: skip


def lines(folder):
    found = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"], line["learning_rate"]) for line in found]


def test_it_stops_by_the_clock_and_goes_on_elsewhere_as_if_it_had_not(config, data, tmp_path):
    def wait(step, parts):
        time.sleep(0 if step < 3 else max(0, until - time.perf_counter()))

    until = time.perf_counter() + 3
    stopped = Trainer(config, data, tmp_path / "here", "cpu", on_step=wait)
    assert stopped.train(until=until) is False
    assert 0 < stopped.step <= 3
    assert not (tmp_path / "here" / "pipeline").exists()
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert Trainer(config, data, tmp_path / "there", "cpu").train(resume=True)
    assert Trainer(config, data, tmp_path / "whole", "cpu").train()
    assert lines(tmp_path / "there") == lines(tmp_path / "whole")


def test_the_command_says_when_it_stopped_and_how_to_go_on(stroke_file, tmp_path, capsys):
    (tmp_path / "own.toml").write_text(
        f'[data]\nsource = "{stroke_file}"\n[representation]\nkind = "pixels"\npatch = 4\n[network]\nsize = "tiny"\n'
        "[optimiser]\nmax_steps = 2\nbatch_size = 8\n[sampler]\nnum_inference_steps = 2\n"
    )
    argv = ["train", str(tmp_path / "own.toml"), "--output-dir", str(tmp_path / "run"), "--device", "cpu"]
    assert run([*argv, "--minutes", "1e-9"]) == 0
    out = capsys.readouterr().out
    assert "stopped after 1e-09 minutes at step 0 of 2, state saved: go on with --resume" in out
    assert run([*argv, "--minutes", "60", "--resume"]) == 0
    assert "trained 2 steps" in capsys.readouterr().out


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf"])
def test_minutes_that_are_none_are_refused(minutes, capsys):
    assert run(["train", "mnist", "--minutes", minutes]) == 2
    assert "minutes must be > 0" in capsys.readouterr().err
