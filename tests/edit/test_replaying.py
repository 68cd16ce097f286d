"""Files that a model edited are made again from their history, byte for byte."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from commands import refused
from walkers import walker

from gaussiandiffusion import edit
from gaussiandiffusion.cli.main import run
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.edits import Edit

SETS = "splats.safetensors"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with samples of `mnist`, sets in no order, and a small model with sets of it."""
    folder = tmp_path_factory.mktemp("replaying")
    assert run(["sample", "--num", "3", "--steps", "2", "--out", str(folder / "digits")]) == 0
    digits = storage.load(folder / "digits" / SETS).splats
    digits[:2].select(torch.arange(24).flip(0)).save(folder / "shuffled.safetensors")
    model = walker()
    for parameter in model.denoiser.parameters():
        parameter.data *= 0.1  # of its samples sets in their slots
    model.save_pretrained(folder / "walker")
    latents = torch.randn(2, *model.representation.latent_shape, generator=torch.Generator().manual_seed(1))
    model.representation.from_latent(latents).save(folder / "sets.safetensors")
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """The same, to be written in."""
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def again(out, *flags, name="again.safetensors"):
    """The bytes of a file of sets, and of what its history makes."""
    path = Path(out) / SETS if Path(out).is_dir() else Path(out)
    assert run(["edit", "--replay", str(out), "--out", name, *flags]) == 0
    return path.read_bytes(), Path(name).read_bytes()


SMALL = ["--model", "walker", "--seed", "3", "--out", "out"]


@pytest.mark.parametrize(
    "argv",
    [
        ["vary", "digits", "--strength", "0.4", "--num", "2", "--limit", "1", "--label", "3", "--seed", "5"],
        ["vary", "digits/images/00001.png", "--toward", "digits/images/00000.png", "--pull", "2", "--steps", "2"],
        ["vary", "shuffled.safetensors", "--encode", "--guidance", "1.5", "--steps", "2"],
        [
            "inpaint",
            "digits",
            "--steps",
            "2",
            "--keep",
            "mask(digits/images/00000.png) | index(0)",
            "--rounds",
            "2",
            "--limit",
            "1",
        ],
        ["transfer", "digits", "--own", "1", "--label", "7", "--limit", "1", "--steps", "2"],
        ["interpolate", "digits:1", "4", "--model", "mnist", "--frames", "2", "--label", "2", "--steps", "2"],
        ["interpolate", "digits/images/00002.png", "5", "--through", "sets", "--frames", "2", "--model", "mnist"],
        ["interpolate", "digits:0", "shuffled.safetensors:1", "--frames", "3", "--loop"],
    ],
)
def test_every_verb_is_done_again(here, argv):
    assert run([*argv, "--out", "out"]) == 0
    made, remade = again("out")
    assert made == remade


def test_edits_by_hand_and_by_models_are_mixed(here, monkeypatch):
    assert run(["vary", "sets.safetensors", "--label", "action=walk", *SMALL]) == 0
    by_hand = ["--op", "recolor:brightness=0.9", "--op", "move:x=0.01", "--where", "index(0:4)"]
    assert run(["edit", "out", *by_hand, "--out", "sub/e.json"]) == 0
    argv = ["inpaint", "sub/e.json", "--keep", "index(0:3)", "--num", "2", "--limit", "1", "--model", "walker"]
    assert run([*argv, "--out", "sub/mended"]) == 0
    assert run(["edit", "sub/mended", "--op", "delete", "--where", "set(0) & index(0)", "--out", "f.safetensors"]) == 0
    header = storage.load_header("f.safetensors")
    assert [each.verb for each in header.edits] == ["vary", "edit", "edit", "inpaint", "edit"]
    assert header.edits[3].values["asked"]["action"] == ["walk", "walk"]
    assert header.edits[0].files["walker"].path == "walker"  # as seen from the last file
    monkeypatch.chdir("/")  # names are told from the file, not from here
    made, remade = again(here / "f.safetensors", name=str(here / "again.safetensors"))
    assert made == remade
    made, remade = again(here / "sub" / "mended", name=str(here / "mended.safetensors"))
    assert made == remade


def test_an_interpolation_can_be_edited_on(here, capsys):
    assert run(["interpolate", "sets.safetensors:1", "4", "--frames", "3", *SMALL]) == 0
    assert run(["edit", "out", "--op", "move:x=0.01", "--out", "sub/e.safetensors"]) == 0
    assert run(["vary", "sub/e.safetensors", "--model", "walker", "--out", "sub/varied"]) == 0
    made, remade = again("sub/varied")
    assert made == remade
    (here / "elsewhere").mkdir()
    Path("sets.safetensors").rename("elsewhere/sets.safetensors")
    assert "and is not there" in refused(capsys, "edit", "--replay", "sub/varied", "--out", "x.json")
    made, remade = again("sub/varied", "--source", "elsewhere/sets.safetensors")
    assert made == remade


def test_what_is_needed_is_in_the_header(here):
    assert run(["vary", "sets.safetensors", *SMALL]) == 0
    file = storage.load("out/" + SETS)
    (told,) = file.header.edits
    weights = GaussianDiffusion.from_pretrained("walker").weights_sha256
    assert told.values == {
        "model": "walker", "weights": weights, "device": "cpu", "seed": 3, "steps": 2, "guidance": 1.0,
        "asked": {name: [None, None] for name in ("hair", "action", "direction", "frame")},
        "strength": 0.3, "num": 1, "pull": 1.0,
    }  # fmt: skip
    assert (told.files["walker"].path, told.files["walker"].sha256) == ("../walker", weights)
    made = edit.replay("out/" + SETS, model=GaussianDiffusion.from_pretrained("walker"))
    assert torch.equal(made.splats.means, file.splats.means)
    assert made.conditions.words() == file.conditions.words()


def test_a_model_that_moved_is_named_and_another_is_told_by_its_weights(here, capsys):
    assert run(["vary", "sets.safetensors", *SMALL]) == 0
    Path("walker").rename("moved")
    replay_ = ["edit", "--replay", "out", "--out", "x.safetensors"]
    line = refused(capsys, *replay_)
    assert "walker: is the model that out/splats.safetensors was made with, and is not there; give its" in line
    made, remade = again("out", "--model", "moved")
    assert made == remade
    assert "mnist: is not the model that out/splats.safetensors was made" in refused(
        capsys, *replay_, "--model", "mnist"
    )
    assert "no model 'nothing'" in refused(capsys, *replay_, "--model", "nothing")
    other = GaussianDiffusion.from_pretrained("moved")
    next(other.denoiser.parameters()).data += 1e-4
    other.save_pretrained("walker")
    line = refused(capsys, *replay_)
    assert "walker: is not the model that out/splats.safetensors was made with, the SHA-256 of its weights is" in line
    with pytest.raises(InputError, match="the model given: is not the model that"):
        edit.replay("out/" + SETS, model=other)
    assert not Path("x.safetensors").exists()


def test_a_folder_that_moved_is_found_by_its_name_and_the_edited_file_is_not_taken_for_it(here, capsys):
    assert run(["vary", "digits", "--strength", "0.2", "--steps", "2", "--limit", "1", "--out", "out"]) == 0
    Path("digits").rename("elsewhere")
    said = refused(capsys, "edit", "--replay", "out", "--out", "again.safetensors")
    assert f"{Path('digits') / SETS}: is what {Path('out') / SETS} was made from, and is not there" in said
    first, second = again("out", "--source", "elsewhere")
    assert first == second


def test_what_is_missing_or_not_what_it_was_is_refused(here, capsys):
    replay_ = ["edit", "--replay", "out", "--out", "x.safetensors"]
    argv = ["vary", "sets.safetensors", "--toward", "goal.png", *SMALL]
    shutil.copy("digits/images/00000.png", "goal.png")
    assert run(argv) == 0
    shutil.copy("digits/images/00001.png", "goal.png")
    assert "goal.png: is not what out/splats.safetensors was made from, its SHA-256" in refused(capsys, *replay_)
    Path("goal.png").unlink()
    assert "goal.png: is what out/splats.safetensors was made from, and is not there" in refused(capsys, *replay_)
    shutil.copy("digits/images/00000.png", "goal.png")
    Path("sets.safetensors").unlink()
    assert "sets.safetensors: is what out/splats.safetensors was made from, and" in refused(capsys, *replay_)
    assert "--model is for --replay" in refused(
        capsys, "edit", "digits", "--op", "flip", "--model", "mnist", "--out", "x.json"
    )
    assert run(["interpolate", "1", "2", "--frames", "2", *SMALL]) == 0
    assert "was made from seeds, and of no file" in refused(capsys, *replay_, "--source", "goal.png")
    assert not Path("x.safetensors").exists()


def test_headers_that_lack_something_or_lie_are_refused(here, capsys):
    assert run(["vary", "sets.safetensors", *SMALL]) == 0
    file = storage.load("out/" + SETS)
    (good,) = file.header.edits

    def said(*edits):
        storage.save(file.splats, "e.safetensors", source=file.header.source | {"sets": sets}, edits=list(edits))
        return refused(capsys, "edit", "--replay", "e.safetensors", "--out", "x.safetensors")

    def told(**values):
        return replace(good, values=good.values | values)

    sets = {"path": "sets.safetensors", "sha256": file.header.source["sets"]["sha256"]}
    old = {name: value for name, value in good.values.items() if name != "weights"}
    assert "its history holds `vary`, which needs a model; run that command again" in said(replace(good, values=old))
    assert "its history holds `interpolate`, which needs" in said(Edit("interpolate", {"ends": ["1", "2"]}))
    assert "its history holds `interpolate`, which needs" in said(good, Edit("interpolate", {"ends": []}))
    assert "edits[0]: strength: expected float" in said(told(strength="much"))
    assert "edits[0]: num: expected int" in said(told(num=10**9))
    assert "strength must lie between 0 and 1" in said(told(strength=2))
    assert "unknown attribute 'hat'" in said(told(asked={"hat": "red"}))
    assert "made on a device 'abacus', which this machine does not have" in said(told(device="abacus"))
    assert "goal.png: is read by an edit whose header does not tell" in said(told(toward="goal.png"))
    assert "owner/name: is the model that e.safetensors was made with, and is not there" in said(
        replace(told(model="owner/name"), files={})
    )
    assert not Path("x.safetensors").exists()
