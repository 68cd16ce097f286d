"""Trainings on files of sets: what the files do not say is kept with the training, and slots are told of."""

import json

import pytest
import torch
from published_sets import published_rows

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.data.sets import is_json_of_sets
from gaussiandiffusion.encoding.settings import default_settings
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.training.chosen import choose
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import flat_settings, load_config, to_config, to_flat, with_settings

QUICK = ["--network", "tiny", "--batch-size", "2", "--render-weight", "0", "--mixed-precision", "no", "--device", "cpu",
         "--num-inference-steps", "1", "--budget", "0.001"]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch, make_splats):
    """Canonical sets with their template beside them, and published ones with labels."""
    monkeypatch.chdir(tmp_path)
    template = make_splats(1, 5, 8, 8)
    template.save("begin.safetensors")
    settings = default_settings(1, num_splats=5, start="template", iterations=3).to_dict()
    made = settings | {"template_sha256": weights_sha256(template.tensors())}
    make_splats(4, 5, 8, 8).save("canonical.safetensors", encoder=made)
    (tmp_path / "theirs").mkdir()
    for i, rows in enumerate(published_rows(4, 5)):
        torch.save({"W": rows.clone()}, tmp_path / "theirs" / f"{i}.pt")
    (tmp_path / "labels.txt").write_text("0 1 0 1")
    return tmp_path


def test_what_the_files_do_not_say_is_recorded_and_asked_for_again(folder, capsys):
    flags = ["train", "theirs", "--kernel-size", "8", "--sets-canvas", "8", "--labels", "labels.txt", *QUICK]
    assert run(flags) == 0
    kept = json.loads((folder / "runs/theirs/config.json").read_text())["data"]["reading"]
    assert kept == {"kernel_size": 8, "clamp": None, "sets_canvas": "8", "values": None,
                    "labels": str(folder / "labels.txt")}  # fmt: skip
    assert "4 sets of 5 splats without slots" in capsys.readouterr().err
    assert run([*flags, "--clamp", "soft", "--resume"]) == 2
    assert "was trained with clamp = None, not 'soft'" in capsys.readouterr().err


def test_they_are_settings_of_a_file_too(folder):
    (folder / "x.toml").write_text('data = "theirs"\nkernel_size = 8\nlabels = "labels.txt"\nper_slot = false')
    (folder / "y.toml").write_text('[data]\nsource = "theirs"\nreading = {kernel_size = 8, labels = "labels.txt"}\n'
                                   "[representation]\nper_slot = false")  # fmt: skip
    config = load_config("x.toml")
    assert config == load_config("y.toml")
    assert (config.data.reading.kernel_size, config.data.reading.labels) == (8, str(folder / "labels.txt"))
    assert to_config(flat_settings(config.to_dict(), "x"), "x") == config
    assert to_flat(config)["kernel_size"] == 8
    (folder / "x.toml").write_text("kernel_size = 1")
    with pytest.raises(InputError, match=r"x\.toml: --kernel-size must be at least 2, not 1"):
        load_config("x.toml")


def test_a_json_file_is_told_by_what_is_in_it(folder):
    assert run(["convert", "canonical.safetensors", "sets.json"]) == 0
    assert is_json_of_sets(folder / "sets.json")
    chosen = choose("sets.json")
    assert chosen.settings.data.source == str(folder / "sets.json")
    assert (chosen.settings.representation.start, chosen.settings.representation.per_slot) == ("template", True)
    (folder / "settings.json").write_text('{"data": "theirs", "per_slot": false}')
    assert not is_json_of_sets(folder / "settings.json")
    assert choose("settings.json").settings.data.source == str(folder / "theirs")
    (folder / "broken.json").write_text('{"sets": [')
    with pytest.raises(InputError, match=r"broken\.json: is not readable JSON"):
        choose("broken.json")


def test_a_template_beside_the_sets_is_theirs(folder, capsys):
    config = with_settings(load_config("folder"), data="canonical.safetensors", start="template", network="tiny")
    data = load_training_set(config, None)
    told = capsys.readouterr().err
    assert "canonical.safetensors: its template is begin.safetensors" in told
    assert "4 sets of 5 splats in slots, each learned with its own statistics" in told
    (folder / "begin.safetensors").unlink()
    other = load_training_set(config, None)
    assert "its template is not beside it; the mean of each slot stands in" in capsys.readouterr().err
    assert not torch.equal(data.representation.template.means, other.representation.template.means)


def test_what_is_said_of_no_sets_is_refused(folder, capsys):
    for argv, said in (
        (["train", "canonical.safetensors"], "of which --clamp cannot be said"),
        (["train", "mnist"], "mnist: holds pictures; --clamp is said of files of sets, leave it out"),
        (["train", "mnist-few"], "a teacher, from which all is learned; --clamp is said"),
    ):
        assert run([*argv, "--clamp", "soft", "--output-dir", "run"]) == 2
        assert said in capsys.readouterr().err
    assert not (folder / "run").exists()
