"""`train` on pictures of one's own, as typed: what the first word names, and what is refused at once."""

import json

import numpy as np
import pytest
from commands import refused
from PIL import Image, ImageDraw

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.ground.files import locked
from gaussiandiffusion.training.chosen import choose

TINY = ["--splats", "4", "--iterations", "2", "--network", "tiny", "--budget", "0.004", "--render-weight", "0",
        "--mixed-precision", "no", "--num-inference-steps", "2", "--device", "cpu"]  # fmt: skip


@pytest.fixture
def icons(tmp_path, monkeypatch):
    """Discs of two classes, one of which has a single picture to learn from; the working folder is beside them."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(["train/apple", "train/apple", "train/bow", "test/bow", "test/apple", "test/apple"]):
        picture = Image.new("RGB", (12, 12))
        ImageDraw.Draw(picture).ellipse((2, 2, 6 + i % 3, 8), fill=(200, 40 * i, 90))
        path = tmp_path / "icons" / name / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    return tmp_path / "icons"


def test_a_folder_is_all_it_takes(icons, capsys):
    assert run(["train", "./icons", *TINY]) == 0
    out, err = capsys.readouterr()
    assert "sample --model runs/icons/pipeline --label apple)" in out
    assert "minutes on this machine: template 0.1, encoding 0.1, training 0.1" in err
    assert "bow: has one picture only" in err
    assert (icons.parent / "runs" / "icons" / "template.safetensors").is_file()
    assert run(["sample", "--model", "runs/icons/pipeline", "--label", "bow", "--num", "2", "--out", "o"]) == 0
    assert not (icons.parent / "runs" / "icons" / ".lock").exists()
    # again: nothing is lost unasked
    before = (icons.parent / "runs" / "icons" / "training.json").read_bytes()
    assert "runs/icons: holds an earlier training; go on with it by --resume" in refused(capsys, "train", icons, *TINY)
    assert "give only one" in refused(capsys, "train", icons, *TINY, "--resume", "--overwrite")
    assert (icons.parent / "runs" / "icons" / "training.json").read_bytes() == before
    assert run(["train", "icons", *TINY, "--resume"]) == 0
    assert run(["train", str(icons), *TINY, "--overwrite", "--split", "test", "--canvas", "8"]) == 0
    config = json.loads((icons.parent / "runs" / "icons" / "config.json").read_text())
    assert (config["data"]["source"], config["data"]["split"], config["data"]["canvas"]) == (str(icons), "test", 8)


def test_steps_that_a_flag_says_count_instead_of_the_presets_minutes(icons, capsys):
    flags = [flag for flag in TINY if flag not in ("--budget", "0.004")]
    assert run(["train", "icons", *flags, "--max-steps", "2"]) == 0
    assert "trained 2 steps" in capsys.readouterr().out
    assert run(["train", "icons", *flags, "--max-steps=3", "--resume"]) == 0
    assert "trained 3 steps" in capsys.readouterr().out
    assert "leave --max-steps out" in refused(capsys, "train", "icons", *TINY, "--max-steps", "2")


def test_the_folder_of_a_training_is_its_own(icons, capsys):
    with locked(icons.parent / "runs" / "icons"):
        assert "is being written by another process" in refused(capsys, "train", "icons", *TINY)


def test_a_preset_goes_before_a_folder_of_its_name_and_says_so(icons, tmp_path, capsys):
    icons.rename(tmp_path / "sprites")
    chosen = choose("sprites")
    assert (chosen.settings.data.source, chosen.name) == ("sprites", "sprites")
    assert chosen.note == "'sprites' is taken for the preset; for what lies here under that name, write ./sprites"
    own = choose("./sprites")
    assert (own.settings.data.source, own.name, own.note) == (str(tmp_path / "sprites"), "sprites", None)
    assert run(["train", "sprites", "--minutes", "-1"]) == 2
    assert "is taken for the preset" in capsys.readouterr().err


def test_what_the_first_word_may_name(icons, tmp_path):
    np.savez(tmp_path / "some.npz", images=np.zeros((3, 8, 8), np.uint8))
    (tmp_path / "own.toml").write_text('[data]\nsource = "icons"\ncanvas = 9\n')
    assert choose("some.npz").name == "some"
    assert choose("icons/train").name == "train"
    assert choose("own.toml").settings.data.framing.canvas == 9
    assert choose("own.toml").settings.data.source == str(icons)


def test_paths_in_a_file_of_settings_begin_where_it_lies(icons, tmp_path, monkeypatch):
    (tmp_path / "settings" / "teacher").mkdir(parents=True)
    path = tmp_path / "settings" / "own.toml"
    path.write_text('data = "../icons"\nteacher = "teacher"\nteacher_weaker = "mnist"\nstart = "template:t.st"\n')
    monkeypatch.chdir(icons)
    settings = choose(str(path)).settings
    assert settings.data.source == str(icons)
    assert settings.representation.start == f"template:{tmp_path / 'settings' / 't.st'}"
    assert (settings.teacher.model, settings.teacher.weaker) == (str(tmp_path / "settings" / "teacher"), "mnist")


def test_what_cannot_be_trained_is_refused_in_a_sentence(icons, tmp_path, capsys):
    for number, words in (("0", "--canvas must lie between"), ("-1", "--canvas must lie between")):
        assert words in refused(capsys, "train", "icons", f"--canvas={number}")
    assert "--fit pad says how" in refused(capsys, "train", "icons", "--fit", "pad")
    assert "the preset folder needs your pictures" in refused(capsys, "train", "folder")
    assert "lies among the pictures" in refused(capsys, "train", "icons", "--output-dir", "icons/run", *TINY)
    assert "first name a preset" in refused(capsys, "train", "--max-steps", "3", "icons")
    assert "no preset or file 'icnos'" in refused(capsys, "train", "icnos")
    Image.new("L", (9, 5)).save(icons / "train" / "apple" / "odd.png")
    assert "--canvas N" in refused(capsys, "train", "icons", *TINY)
    assert "--mode RGB" in refused(capsys, "train", "icons", "--canvas", "8", *TINY)
    (tmp_path / "single").mkdir()
    Image.new("L", (9, 5)).save(tmp_path / "single" / "a.png")
    assert "one image is too few to train on" in refused(capsys, "train", "single", *TINY)
    (tmp_path / "none").mkdir()
    assert "none" in refused(capsys, "train", "none", *TINY)
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").iterdir())


def test_a_data_set_without_a_preset_is_trained_like_ones_own_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = choose("sprites64")
    assert chosen.settings.data.source == "sprites64"
    assert (chosen.name, chosen.settings.representation.start) == ("sprites64", "template")
    assert choose("Fashion_MNIST").settings == choose("fashion-mnist").settings
