"""`convert` as typed."""

import pytest
import torch
from commands import refused
from published_sets import decibels, published_rows

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.published.drawing import draw
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.storage import load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    for i, rows in enumerate(published_rows(5, 6)):
        torch.save({"W": rows.clone(), "label": i % 2}, tmp_path / "sets" / f"{i}.pt")
    return tmp_path


def test_from_theirs_to_ours_and_back(folder, capsys):
    assert run(["convert", "sets", "a.safetensors", "--kernel-size", "28"]) == 0
    out, err = capsys.readouterr()
    assert out == "5 sets: a.safetensors\n"
    assert "kernel size 28, hard clamp, numbers as drawn" in err
    found = load("a.safetensors")
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert float(decibels(render(found.splats), draw(published_rows(5, 6), Canvas(28, 28), kernel_size=28)).min()) > 90
    assert run(["convert", "a.safetensors", "back", "--to", "pt"]) == 0
    assert sorted(path.name for path in (folder / "back").iterdir()) == [f"0000{i}.pt" for i in range(5)]
    assert run(["convert", "back", "b.safetensors"]) == 0
    torch.testing.assert_close(load("b.safetensors").splats.sigmas, found.splats.sigmas)
    assert not list(folder.glob(".*"))


def test_some_of_the_sets(folder, capsys):
    pytest.importorskip("h5py")  # of an extra
    assert run(["convert", "sets", "a.h5", "--first", "3", "--kernel-size", "28"]) == 0
    assert run(["convert", "a.h5", "one.svg", "--limit", "1"]) == 0
    assert (folder / "one.svg").read_text().startswith("<svg")
    assert run(["convert", "sets", "two.pt", "--first", "4", "--limit", "1", "--kernel-size", "28"]) == 0
    assert len(Splats.load(folder / "two.pt")) == 1


def test_bad_requests_are_one_sentence_and_write_nothing(folder, capsys):
    before = sorted(folder.rglob("*"))
    assert "a .svg file holds one set, and there are 5" in refused(
        capsys, "convert", "sets", "a.svg", "--kernel-size", "28"
    )
    assert "what to write is told by the suffix" in refused(capsys, "convert", "sets", "a.xyz")
    assert "--to is for a file a set" in refused(capsys, "convert", "sets", "a", "--to", "json")
    assert "no such file or folder" in refused(capsys, "convert", "nothing", "a.safetensors")
    assert "has 5 sets, none from number 5 on" in refused(capsys, "convert", "sets", "a.safetensors", "--first", "5")
    assert "is what is read" in refused(capsys, "convert", "sets/1.pt", "sets/1.pt")
    assert "must be N or HxW" in refused(capsys, "convert", "sets", "a.safetensors", "--sets-canvas", "0x3")
    (folder / "sets" / "3.pt").write_bytes(b"PK")
    assert "sets/3.pt: is not a sound file" in refused(capsys, "convert", "sets", "a.safetensors")
    assert sorted(folder.rglob("*")) == before
