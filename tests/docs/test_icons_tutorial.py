"""The tutorial about icons, as its readers follow it, with fewer and smaller icons and trainings of a moment."""

import json
import os
import re

import pytest
from PIL import Image
from tutorials import DOCS, follow

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.training.presets import load_config

PAGE = "icons.md"
SMALL = {
    "python": ["--num", "10", "--size", "12"],
    "train": ["--splats", "4", "--iterations", "2", "--network", "tiny", "--budget", "0.004", "--render-weight", "0",
              "--mixed-precision", "no", "--device", "cpu"],
    "sample": ["--num", "2", "--steps", "2"],
}  # fmt: skip


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        follow(PAGE, more=SMALL, files={"toml": "icons.toml"})
    return folder


def test_icons_become_a_model_that_knows_their_classes(followed):
    assert len(list((followed / "icons").rglob("*.png"))) == 10
    config = json.loads((followed / "runs" / "icons" / "pipeline" / "denoiser" / "config.json").read_text())
    assert config["conditions"] == {"class": ["coin", "gem", "heart", "potion", "star"]}
    assert Image.open(followed / "new-icons" / "grid.png").mode == "RGBA"
    hearts = [Image.open(path).size for path in sorted((followed / "hearts" / "images").iterdir())]
    assert hearts == [(256, 256)] * 2


def test_each_training_has_a_folder_of_its_own(followed):
    names = {path.name for path in (followed / "runs").iterdir()}
    assert names == {"icons", "icons-32", "icons-longer", "icons-parts"}
    assert all((followed / "runs" / name / "pipeline").is_dir() for name in names)
    told = json.loads((followed / "runs" / "icons-32" / "training.json").read_text())
    assert [told["config"]["data"][name] for name in ("canvas", "fit", "mode")] == [32, "pad", "RGBA"]


def test_the_file_of_settings_is_one(followed):
    config = load_config(followed / "icons.toml")
    assert config.data.source == os.path.join(followed, "icons")
    assert config.optimiser.budget == "30"


def test_the_text_names_flags_that_there_are(followed, capsys):
    assert run(["train", str(followed / "icons"), "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) | {"--help", "--num", "--size", "--label", "--out"}
    page = (DOCS / PAGE).read_text()
    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= known | {"--model", "--seed"}
