"""A character's frames are its own samples; a sheet holds them where its JSON says."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from walkers import walker

from gaussiandiffusion.gallery import make_character, write_sheet
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.splats import storage


@pytest.fixture(scope="module")
def model():
    return walker()


@pytest.fixture(scope="module")
def hero(model):
    return make_character(model, {"hair": "red"}, seed=4)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_all_frames_have_the_characters_noise_and_looks(model, hero):
    words = hero.conditions.words()
    assert words["hair"] == ["red"] * 14
    assert words["frame"] == [*"0123", *"0123", *"012", *"012"]
    assert words["action"] == ["walk"] * 8 + ["slash"] * 6
    alone = model(1, conditions={name: values[9] for name, values in words.items()}, seed=4)
    assert torch.equal(alone.splats.means[0], hero.splats.means[9])


def test_a_character_depends_on_seed_and_number_alone(model):
    drawn = [make_character(model, number=number, seed=1) for number in range(8)]
    assert {frozenset(each.conditions.words()["hair"]) for each in drawn} == {frozenset(["red"]), frozenset(["green"])}
    assert drawn[3].conditions.words()["hair"][0] == model(8, seed=1).conditions.words()["hair"][3]
    again = make_character(model, {"action": "slash"}, number=3, seed=1)
    assert torch.equal(again.splats.means, drawn[3].splats.means[8:])


def test_between_drawn_frames_lie_others_and_the_walk_closes(hero):
    drawn, twice = hero.frames(), hero.frames(16)
    assert [len(row) for row in drawn] == [4, 4, 3, 3]
    assert [len(row) for row in twice] == [8, 8, 5, 5]
    for few, many in zip(drawn, twice, strict=True):
        torch.testing.assert_close(many[::2], few, atol=1e-3, rtol=0)
        assert (many[1] - few[0]).abs().max() > 1e-3
    assert hero.frames(size=20)[0].shape == (4, 3, 20, 20)


def test_the_sheet_holds_every_frame_where_its_json_says(hero, tmp_path):
    written = write_sheet(tmp_path, hero, fps=16, size=16, told={"app": "test", "seed": 4})
    assert written == ["sheet.png", "sheet.json", "sheet.aseprite.json", "animations/", "splats.safetensors"]
    sheet, told = pixels(tmp_path / "sheet.png"), json.loads((tmp_path / "sheet.json").read_text())
    rows = [to_uint8(row) for row in hero.frames(16, 16)]
    pictures = [picture.permute(1, 2, 0).numpy() for row in rows for picture in row]
    assert len(pictures) == len(told["frames"]) == 26
    for picture, frame in zip(pictures, told["frames"].values(), strict=True):
        x, y, w, h = (frame["frame"][key] for key in "xywh")
        assert np.array_equal(sheet[y : y + h, x : x + w], picture)
    assert told["meta"]["size"] == {"w": sheet.shape[1], "h": sheet.shape[0]} == {"w": 128, "h": 64}
    assert told["meta"]["seed"] == 4
    assert not sheet[32:, 80:].any()  # no frames there
    saved = storage.load(tmp_path / "splats.safetensors")
    assert len(saved.splats) == 14
    assert saved.conditions.words() == hero.conditions.words()


def test_a_gif_of_each_action_shows_its_directions_side_by_side(hero, tmp_path):
    (tmp_path / "animations").mkdir()
    (tmp_path / "animations" / "fly.gif").write_text("of an earlier sheet")
    write_sheet(tmp_path, hero, fps=24)
    assert sorted(path.name for path in (tmp_path / "animations").iterdir()) == ["slash.gif", "walk.gif"]
    with Image.open(tmp_path / "animations" / "walk.gif") as gif:
        assert gif.size == (2 * 128, 128)
        total = 0
        for i in range(gif.n_frames):
            gif.seek(i)
            total += gif.info["duration"]
        assert total == 500  # four frames, eight a second


def test_pixels_make_a_sheet_but_have_nothing_between(tmp_path):
    character = make_character(walker(pixels=True))
    assert write_sheet(tmp_path, character) == ["sheet.png", "sheet.json", "sheet.aseprite.json", "animations/"]
    with pytest.raises(InputError, match="no frames between the drawn ones"):
        character.frames(24)
