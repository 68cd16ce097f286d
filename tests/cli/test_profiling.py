"""`profile` as a user types it."""

import json

import pytest

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.cli.profile import plain_table
from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.evaluation.cost import profile
from gaussiandiffusion.models import make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import SplatRepresentation


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A saved model of 18x18 pixels, with small rivals: one that can be built and one that cannot."""
    representation = SplatRepresentation(18, 18, 1, {"num_splats": 4}, per_slot=False)
    network = make_transformer("tiny", num_features=6)
    GaussianDiffusionPipeline(network, representation, Objective("flow").scheduler).save_pretrained(tmp_path / "m")
    rivals = (profile.Rival("odd", "unet", 9), profile.Rival("splats", "tiny", 200, num_splats=5, channels=1))
    monkeypatch.setattr(profile, "RIVALS", rivals)
    return tmp_path / "m"


def test_a_table_is_printed_and_json_is_written(model, tmp_path, capsys):
    out = tmp_path / "out" / "profile.json"
    assert run(["profile", "--model", str(model), "--repeats", "1", "--device", "cpu", "--out", str(out)]) == 0
    said = capsys.readouterr()
    record = json.loads(out.read_text())
    assert [row["name"] for row in record["rows"]] == [str(model), "splats"]
    assert (record["device"], record["repeats"]) == ("cpu", 1)
    head, *rows = said.out.splitlines()[:3]
    assert head.split("  ")[0] == "network"
    assert len({len(line) for line in (head, *rows)}) == 1  # aligned
    for words in ("a trial", "Left out: odd (a U-Net", "The paper prints", str(out)):
        assert words in said.out
    assert "profile" in said.err


def test_without_out_nothing_is_written(model, tmp_path, capsys):
    before = set(tmp_path.rglob("*"))
    assert run(["profile", "--model", str(model), "--repeats", "1", "--batch-size", "1", "--device", "cpu"]) == 0
    assert set(tmp_path.rglob("*")) == before
    assert "splats 5x6" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--model", "nope"], "no model 'nope'"),
        (["--repeats", "0"], "at least 1"),
        (["--batch-size", "0"], "at least 1"),
        (["--out", "."], "is a folder"),
    ],
)
def test_bad_input_is_refused_in_one_line(flags, words, capsys):
    assert run(["profile", *flags]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_columns_are_aligned():
    assert plain_table([["a", "bb", "1"], ["ccc", "d", "22"]]) == "a    bb   1\nccc  d   22"
