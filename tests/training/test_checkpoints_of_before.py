"""A training begun by an earlier version goes on: flat settings, its checkpoint, its log."""

import json
import shutil
from pathlib import Path

import pytest

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.models import SIZES

BEGUN = Path(__file__).parents[1] / "fixtures" / "training"
TINIER = {"block": "adaptive", "width": 16, "depth": 1, "num_heads": 2}  # that the fixture was made with


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", TINIER)
    monkeypatch.chdir(shutil.copytree(BEGUN, tmp_path / "training"))
    return tmp_path / "training"


def losses(path):
    return [json.loads(line)["loss"] for line in path.read_text().splitlines()]


def test_it_goes_on_as_if_nothing_had_changed(folder):
    argv = ["train", "flat.toml", "--output-dir", "begun", "--device", "cpu"]
    assert run([*argv, "--max-steps", "4", "--resume"]) == 0
    # Written on another processor, perhaps: float32 rounding only.
    assert losses(folder / "begun" / "metrics.jsonl") == pytest.approx(losses(folder / "whole.jsonl"), rel=1e-3)
    saved = json.loads((folder / "begun" / "config.json").read_text())
    assert saved["optimiser"]["max_steps"] == 4
    assert run(["sample", "--model", "begun/pipeline", "--num", "2", "--out", "out"]) == 0


def test_other_settings_are_still_refused(folder, capsys):
    argv = ["train", "flat.toml", "--output-dir", "begun", "--device", "cpu", "--resume"]
    assert run([*argv, "--label-dropout", "0.5"]) == 2
    assert "was trained with label_dropout = 0.25, not 0.5" in capsys.readouterr().err


def test_the_old_name_of_a_networks_size_is_understood_with_a_word(folder, capsys):
    argv = ["train", "flat.toml", "--output-dir", "anew", "--device", "cpu", "--max-steps", "1"]
    assert run([*argv, "--model", "compact"]) == 0
    assert "is now called --network" in capsys.readouterr().err
    assert json.loads((folder / "anew" / "config.json").read_text())["network"]["size"] == "compact"
