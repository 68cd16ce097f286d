"""The tutorial about characters, with a small untrained model of the same attributes."""

import json

import pytest
from PIL import Image
from tutorials import follow
from walkers import walker

from gaussiandiffusion.data.sprites import CONDITIONS
from gaussiandiffusion.ground.attributes import ConditionSpec

ABSENT = {"action": {"spellcast": {"frame": ["7"]}, "slash": {"frame": ["6", "7"]}}}


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tutorial")
    walker(ConditionSpec(CONDITIONS.attributes, ABSENT)).save_pretrained(folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        follow("character.md", {"sprites": str(folder / "model")})
    return folder


def told(folder):
    return json.loads((folder / "sheet.json").read_text())


def test_the_files_are_those_of_the_table(followed):
    names = {path.name for path in (followed / "hero").iterdir()}
    assert names == {"sheet.png", "sheet.json", "sheet.aseprite.json", "animations", "splats.safetensors"}
    assert len(told(followed / "hero")["frames"]) == 63
    assert "walk-front-0" in told(followed / "hero")["frames"]
    gifs = sorted(path.name for path in (followed / "hero" / "animations").iterdir())
    assert gifs == ["slash.gif", "spellcast.gif", "walk.gif"]
    assert sorted(path.name for path in (followed / "three").iterdir()) == ["00000", "00001", "00002"]


def test_rows_and_frames_are_those_that_the_text_tells_of(followed):
    assert list(told(followed / "left")["animations"]) == ["walk-left"]
    smooth = told(followed / "smooth")
    assert [len(names) for names in smooth["animations"].values()] == [24, 24, 24]
    assert Image.open(followed / "smooth" / "sheet.png").size == (24 * 128, 3 * 128)
    assert list(told(followed / "hero-in-python")["animations"]) == [
        f"{action}-{direction}" for action in ("walk", "slash") for direction in ("front", "left", "right")
    ]
