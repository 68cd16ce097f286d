"""Sets that were moved far from a model's slots: said, and with --encode encoded anew."""

import pytest

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.splats.storage import load


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("far")
    pipe = GaussianDiffusion.from_pretrained("mnist")
    made = pipe(num_samples=2, seed=1)
    made.splats.save(folder / "near.safetensors", labels=made.labels)
    made.splats.rotate(22, about=(0.0, 0.0)).save(folder / "far.safetensors", labels=made.labels)
    return folder


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("near", [], ""),
        ("near", ["--encode"], ""),
        ("far", [], "2 sets lie far from the model's slots"),
        ("far", ["--encode"], "drawn and encoded anew with the template of mnist"),
    ],
)
def test_what_is_said_of_sets_that_were_turned(name, words, said, place, tmp_path, capsys):
    command = ["vary", str(place / f"{name}.safetensors"), "--strength", "0", *words, "--out", str(tmp_path / "v")]
    assert run(command) == 0
    told = capsys.readouterr().err
    assert said in told if said else not told
    same = load(tmp_path / "v/splats.safetensors").splats.means.equal(load(place / f"{name}.safetensors").splats.means)
    assert same is ("--encode" not in words or name == "near")
