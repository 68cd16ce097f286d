"""`convert`: what it writes over, what it leaves behind, and what it says of what is left out."""

import io
import os
import sys

import pytest
import torch
from commands import refused
from published_sets import published_rows

from gaussiandiffusion.cli.main import main, run
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats.storage import load


@pytest.fixture
def folder(tmp_path, monkeypatch, make_splats):
    """Four sets in a file, and three `.pt` files in a folder, of which the last is broken in part."""
    monkeypatch.chdir(tmp_path)
    make_splats(4, 3, 8, 8).save("a.safetensors", labels=torch.arange(4), psnr=torch.full((4,), 30.0))
    rows = published_rows(3, 6)
    rows[2, 0, 4] = float("nan")
    (tmp_path / "sets").mkdir()
    for i, each in enumerate(rows):
        torch.save({"W": each.clone()}, tmp_path / "sets" / f"{i}.pt")
    return tmp_path


def test_a_folder_with_the_suffix_of_a_file_gets_a_file_a_set(folder):
    assert run(["convert", "a.safetensors", "all.pt", "--to", "pt"]) == 0
    assert sorted(path.name for path in (folder / "all.pt").iterdir()) == [f"0000{i}.pt" for i in range(4)]
    assert run(["convert", "a.safetensors", "ONE.PT", "--first", "2", "--limit", "1"]) == 0
    assert (folder / "ONE.PT").is_file()


def test_nothing_that_is_read_is_written_over(folder, capsys):
    (folder / "labels.json").write_text("[0, 1, 2]")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for argv in (
        ["sets", "sets/0.pt", "--limit", "1", "--kernel-size", "28"],
        ["sets", "sets/new.pt", "--limit", "1", "--kernel-size", "28"],
        ["sets", "sets/", "--to", "pt"],
        ["sets", "labels.json", "--labels", "labels.json"],
        ["a.safetensors", "./a.safetensors"],
    ):
        assert "is what is read, or would lie in it; name another place" in refused(capsys, "convert", *argv)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_old_files_do_not_mix_with_new_ones(folder, capsys):
    assert run(["convert", "a.safetensors", "out", "--to", "pt"]) == 0
    assert "out: holds other .pt files" in refused(
        capsys, "convert", "a.safetensors", "out", "--to", "pt", "--limit", "2"
    )
    assert len(list((folder / "out").iterdir())) == 4
    assert run(["convert", "a.safetensors", "out", "--to", "pt"]) == 0


def test_files_and_folders_are_not_taken_for_each_other(folder, capsys):
    (folder / "file").touch()
    (folder / "place.h5").mkdir()
    for kind in ([], ["--to", "pt"]):
        out = "file/x.safetensors" if not kind else "file"
        assert "file: is a file, where a folder is to be written" in refused(
            capsys, "convert", "a.safetensors", out, *kind
        )
    assert "place.h5: is a folder; name a file" in refused(capsys, "convert", "a.safetensors", "place.h5")


def test_what_fails_leaves_nothing(folder, capsys, make_splats):
    signed = make_splats(3, 2, 8, 8)
    signed.colors[2] -= 1  # the last one has no SVG
    signed.save("signed.safetensors", signed=True)
    before = sorted(folder.rglob("*"))
    assert "signed.safetensors: SVG cannot draw negative" in refused(
        capsys, "convert", "signed.safetensors", "x/svg", "--to=svg"
    )
    made = sorted(folder.rglob("*"))
    assert [path for path in made if path not in before] == [folder / "x"]
    assert "holds no sound set (" in refused(capsys, "convert", "sets/2.pt", "y/x.safetensors")
    assert not (folder / "y").exists()


def test_the_reason_is_told_also_where_reading_ends_early(folder, capsys):
    assert run(["convert", "sets", "x.safetensors", "--kernel-size", "28", "--limit", "1"]) == 0
    assert "1 sets left out, with NaN or infinity (the first: 2)" in capsys.readouterr().err
    assert "has 2 sound sets, none from number 2 on" in refused(
        capsys, "convert", "sets", "x.safetensors", "--kernel-size", "28", "--first", "2"
    )


def test_what_a_kind_does_not_hold_is_told(folder, capsys, make_splats):
    spec = ConditionSpec({"hair": ("red", "green"), "act": ("walk",)})
    conditions = Conditions(spec, torch.zeros(2, 2, dtype=torch.int64))
    make_splats(2, 3, 8, 8).save("c.safetensors", conditions=conditions)
    assert run(["convert", "c.safetensors", "c", "--to", "pt"]) == 0
    assert "attributes (hair, act) left out, which its kind does not hold" in capsys.readouterr().err
    assert run(["convert", "c.safetensors", "c.json"]) == 0
    assert "left out" not in capsys.readouterr().err


def test_there_and_back_gives_the_same_bytes(folder):
    assert run(["convert", "a.safetensors", "a.json"]) == 0
    assert run(["convert", "a.json", "b.safetensors"]) == 0
    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()


def test_shards_of_some_classes_each_are_one_data_set(folder, make_splats):
    for i, labels in enumerate(([0, 1], [7, 9])):
        sets = make_splats(2, 3, 8, 8)
        sets.colors[:] -= i
        sets.save(f"shards/shard-0000{i}-of-00002.safetensors", labels=torch.tensor(labels), signed=i == 1)
    assert run(["convert", "shards", "s.safetensors"]) == 0
    found = load("s.safetensors")
    assert found.labels.tolist() == [0, 1, 7, 9]
    assert found.header.signed


def test_flags_of_other_systems_are_refused_for_our_own_files(folder, capsys):
    assert run(["convert", "a.safetensors", "a.json"]) == 0
    for name in ("a.safetensors", "a.json"):
        assert f"{name}: is a " in refused(capsys, "convert", name, "x.h5", "--kernel-size", "5")
    capsys.readouterr()
    assert run(["render", "a.safetensors", "--clamp", "soft", "--out", "png"]) == 2
    assert "of which --clamp cannot be said" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_names_that_are_no_text(folder, monkeypatch):
    name = os.fsdecode(b"\xff")
    os.rename("sets", name)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit) as ended:
        main(["convert", name, f"{name}.safetensors", "--kernel-size", "28"])
    assert (ended.value.code, out.buffer.getvalue()) == (0, b"2 sets: \\udcff.safetensors\n")
    os.rename(f"{name}.safetensors", "text.safetensors")
    assert len(load("text.safetensors").splats) == 2
    os.rename("text.safetensors", f"{name}.safetensors")
    with pytest.raises(InputError, match="its name is no text"):
        load(f"{name}.safetensors")


def test_files_of_no_kind_are_told_the_kinds(folder, capsys):
    (folder / "x.ply").write_bytes(b"ply\nformat binary")
    assert "x.ply: is no file of sets that is read here (.safetensors, " in refused(
        capsys, "convert", "x.ply", "x.json"
    )
