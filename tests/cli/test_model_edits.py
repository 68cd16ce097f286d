"""`vary`, `inpaint`, `interpolate` and `transfer` as typed: what they write, and what they say of bad input."""

import json
import subprocess
import sys

import pytest
import torch
from commands import refused
from PIL import Image
from walkers import walker

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.edit.history import file_sha256
from gaussiandiffusion.splats import storage

VERBS = ["inpaint", "interpolate", "transfer", "vary"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small model, and three sets of it with what they show."""
    folder = tmp_path_factory.mktemp("edits")
    model = walker()
    for parameter in model.denoiser.parameters():
        parameter.data *= 0.1  # of its samples sets in their slots
    model.save_pretrained(folder / "walker")
    latents = torch.randn(3, *model.representation.latent_shape, generator=torch.Generator().manual_seed(1))
    asked = {"hair": "red", "action": "walk", "direction": "left", "frame": "1"}
    conditions = model(num_samples=3, conditions=asked).conditions
    model.representation.from_latent(latents).save(folder / "sets.safetensors", conditions=conditions)
    Image.new("RGB", (20, 16), (200, 30, 30)).save(folder / "red.png")
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """The same, to be written in."""
    for path in place.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file_of(folder):
    return storage.load(folder / "splats.safetensors")


def test_help_imports_no_torch():
    code = (
        "import sys; from gaussiandiffusion.cli.main import run; "
        f"codes = [run([verb, '--help']) for verb in {VERBS}]; "
        "assert 'torch' not in sys.modules and 'numba' not in sys.modules; sys.exit(any(codes))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Example: gaussiandiffusion") >= len(VERBS)


def test_variations_are_written_with_their_history(here, capsys):
    before = file_sha256(here / "sets.safetensors")
    argv = ["vary", "sets.safetensors", "--model", "walker", "--strength", "0.5", "--num", "2", "--gif", "--seed", "3"]
    assert run([*argv, "--out", "out"]) == 0
    assert capsys.readouterr().out.startswith("6 results in")
    file = file_of(here / "out")
    assert len(file.splats) == 6
    assert file.header.source["sets"] == {"path": "../sets.safetensors", "sha256": before}
    (made,) = file.header.edits
    assert (made.verb, made.values["strength"], made.values["seed"], made.values["model"]) == ("vary", 0.5, 3, "walker")
    assert file.conditions.words()["action"] == ["walk"] * 6  # what the file says of its sets is asked again
    record = json.loads((here / "out" / "sample.json").read_text())
    assert record["num"] == 6
    assert len(list((here / "out" / "images").iterdir())) == 6
    assert (here / "out" / "materialisation.gif").exists()
    assert run(["vary", "out", "--model", "walker", "--limit", "1", "--label", "action=any", "--out", "again"]) == 0
    again = file_of(here / "again")
    assert [each.verb for each in again.header.edits] == ["vary", "vary"]
    assert again.conditions.words()["action"] == [None]
    assert file_sha256(here / "sets.safetensors") == before


def test_what_is_kept_is_kept_in_the_file(here):
    argv = ["inpaint", "sets.safetensors", "--model", "walker", "--keep", "index(0:3)", "--num", "2", "--out", "out"]
    assert run(argv) == 0
    old, new = storage.load("sets.safetensors").splats, file_of(here / "out")
    assert torch.equal(new.splats.means[::2, :3], old.means[:, :3])
    assert torch.equal(new.splats.means[1::2, :3], old.means[:, :3])
    assert not torch.equal(new.splats.means[0], new.splats.means[1])
    assert new.header.edits[0].where == "index(0:3)"


def test_a_set_becomes_another(here):
    argv = ["transfer", "sets.safetensors", "--model", "walker", "--label", "action=slash", "--steps", "3"]
    assert run([*argv, "--out", "out"]) == 0
    words = file_of(here / "out").conditions.words()
    assert (words["action"], words["hair"]) == (["slash"] * 3, ["red"] * 3)


def test_frames_lie_between_ends_of_any_kind(here, capsys):
    argv = ["interpolate", "sets.safetensors:0", "sets.safetensors:2", "--frames", "5", "--gif", "--out"]
    assert run([*argv, "plain"]) == 0
    assert "each splat moves to that of the same number" in capsys.readouterr().err
    plain, old = file_of(here / "plain").splats, storage.load("sets.safetensors").splats
    assert len(plain) == 5
    torch.testing.assert_close(plain.means[[0, 4]], old.means[[0, 2]], atol=1e-5, rtol=1e-5)
    assert (here / "plain" / "interpolation.gif").exists()
    argv = ["interpolate", "4", "sets.safetensors", "sets.safetensors:1", "--model", "walker", "--steps", "2", "--loop"]
    assert run([*argv, "--frames", "4", "--out", "noise"]) == 0
    assert "holds 3 sets, the first is taken" in capsys.readouterr().err
    noise = file_of(here / "noise")
    assert set(noise.header.edits[0].files) == {"sets.safetensors", "walker"}  # and the model's folder
    torch.testing.assert_close(noise.splats.means[0], noise.splats.means[3])


def test_sets_out_of_a_models_slots_are_encoded_anew_on_request(here, capsys):
    assert run(["sample", "--num", "2", "--steps", "2", "--out", "own"]) == 0
    assert file_of(here / "own").header.encoder["template_sha256"]
    assert run(["vary", "own", "--strength", "0.2", "--out", "varied"]) == 0
    shuffled = file_of(here / "own").splats.select(torch.arange(24).flip(0))
    shuffled.save("shuffled.safetensors")
    line = refused(capsys, "vary", "shuffled.safetensors", "--out", "out")
    assert "set 0 are not in the model's slots, or were moved far; draw and encode them anew" in line
    assert not (here / "out").exists()
    assert run(["vary", "shuffled.safetensors", "--encode", "--out", "out"]) == 0
    assert "drawn and encoded anew with the template of mnist" in capsys.readouterr().err
    assert run(["vary", "own/images/00000.png", "--out", "of-picture"]) == 0
    assert "00000.png: encoded with the template of mnist" in capsys.readouterr().err
    file_of(here / "own").splats.save("other.safetensors", encoder={"template_sha256": "0" * 64})
    assert "another template" in refused(capsys, "vary", "other.safetensors", "--out", "other")
    assert "are RGB sets, and the model makes grey ones" in refused(
        capsys, "vary", "sets.safetensors", "--out", "other"
    )


def test_bad_input_is_refused_in_one_sentence(here, capsys):
    walker_ = ["--model", "walker", "--out", "out"]
    wrong = [
        (["vary", "none.png", *walker_], "no such file"),
        (["vary", "sets.safetensors", "--strength", "1.2", *walker_], "--strength must lie between 0 and 1"),
        (["vary", "sets.safetensors", "--strength", "nan", *walker_], "--strength must lie between 0 and 1"),
        (["vary", "sets.safetensors", "--pull", "0", *walker_], "--pull must lie above 0"),
        (["vary", "sets.safetensors", "--label", "action=fly", *walker_], "unknown action 'fly'"),
        (["vary", "walker", "--model", "walker", "--out", "walker"], "is what is read"),
        (["inpaint", "sets.safetensors", *walker_], "say what to keep"),
        (["inpaint", "sets.safetensors", "--keep", "all", "--complete", *walker_], "say what to keep"),
        (["inpaint", "sets.safetensors", "--keep", "all", *walker_], "keeps everything of set 0"),
        (["inpaint", "sets.safetensors", "--keep", "none", *walker_], "keeps nothing of set 0"),
        (["inpaint", "sets.safetensors", "--keep", "insdie(0,0,1,1)", *walker_], "inside"),
        (["transfer", "sets.safetensors", *walker_], "say what they are to be"),
        (["interpolate", "1", "--out", "out"], "two ends or more, not 1"),
        (["interpolate", "1", "nothing", "--out", "out"], "nothing: is neither a file"),
        (["interpolate", "sets.safetensors:7", "1", *walker_], "has no set 7, its sets are 0 to 2"),
        (["interpolate", "red.png", "red.png", "--out", "out"], "name the model by --model"),
        (["interpolate", "sets.safetensors", "sets.safetensors", "--label", "3", "--out", "out"], "go by --model NAME"),
        (["interpolate", "sets.safetensors", "sets.safetensors", "--steps", "3", "--out", "out"], "--steps is for"),
        (
            ["interpolate", "sets.safetensors", "sets.safetensors", "--through", "sets", "--guidance", "3", *walker_],
            "--guidance is for samples",
        ),
        (["interpolate", "1", "2", "--limit", "3", *walker_], "--limit"),
        (["interpolate", "sets.safetensors", "sets.safetensors", "--encode", "--out", "out"], "give --model NAME"),
        (["vary", "sets.safetensors", "--strength", "0", "--gif", *walker_], "no steps to show"),
        (["vary", "sets.safetensors", "--strength", "0", "--toward", "red.png", *walker_], "or to lead"),
        (["vary", "red.png", "--clamp", "hard", *walker_], "red.png: holds pictures; --clamp is said of files of sets"),
    ]
    for argv, sentence in wrong:
        assert sentence in refused(capsys, *argv), argv
    assert not (here / "out").exists()
