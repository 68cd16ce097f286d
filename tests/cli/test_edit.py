"""`edit` as typed."""

import json
from dataclasses import replace

import pytest
import torch
from commands import refused
from PIL import Image

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.edit import apply
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.media import to_image
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.splats.formats import load_sets
from gaussiandiffusion.splats.storage import load, save


@pytest.fixture
def folder(tmp_path, monkeypatch, make_splats):
    monkeypatch.chdir(tmp_path)
    save(make_splats(n=3), "a.safetensors", labels=torch.tensor([1, 0, 2]))
    save(make_splats(n=1, channels=3), "one.safetensors")
    return tmp_path


def test_sets_and_a_picture_beside_them(folder, capsys):
    command = ["edit", "one.safetensors", "--op", "move:x=1px", "--op", "recolor:hue=90", "--where", "index(0:4)"]
    assert run([*command, "--out", "e.safetensors", "--size", "34"]) == 0
    assert capsys.readouterr().out == "1 sets of 9 splats, 17x12 pixels: e.safetensors, e.png\n"
    chosen = torch.arange(9)[None] < 4
    wanted = Splats.load("one.safetensors").translate(2 / 17, 0, where=chosen).recolor(90, where=chosen)
    found = Splats.load("e.safetensors")
    assert torch.equal(found.means, wanted.means)
    assert torch.equal(found.colors, wanted.colors)
    shown = Image.open("e.png")
    assert shown.size == (34, 24)
    assert shown.tobytes() == to_image(to_uint8(render(found, 34))[0]).tobytes()


def test_many_sets_as_json_and_again(folder, capsys):
    command = [
        "edit",
        "a.safetensors",
        "--op",
        "delete",
        "--where",
        "set(0) & index(0)",
        "--op",
        "tile:columns=2,rows=1",
    ]
    assert run([*command, "--out", "out/e.json"]) == 0
    assert "3 sets of 18 splats, 34x12 pixels" in capsys.readouterr().out
    values = json.loads((folder / "out/e.json").read_text())
    assert [edit["values"]["op"] for edit in values["edits"]] == ["delete", "tile"]
    assert [one["label"] for one in values["sets"]] == [1, 0, 2]
    assert Image.open("out/e.png").size == (2 * 36 + 2, 2 * 14 + 2)
    assert run(["edit", "--replay", "out/e.json", "--out", "again.json"]) == 0
    assert (folder / "again.json").read_bytes() == (folder / "out/e.json").read_bytes()
    assert run(["convert", "out/e.json", "c.safetensors"]) == 0
    assert len(load("c.safetensors").header.edits) == 2


def test_a_folder_of_samples_and_files_of_one_set(folder):
    (folder / "s").mkdir()
    (folder / "s" / "sample.json").write_text("{}")
    save(Splats.load("one.safetensors"), "s/splats.safetensors")
    for suffix in ("svg", "ply"):
        assert run(["edit", "s", "--op", "flip", "--out", f"x.{suffix}"]) == 0
        assert (folder / f"x.{suffix}").stat().st_size > 200


def test_the_first_sets_alone_and_their_history(folder, capsys):
    assert run(["edit", "a.safetensors", "--op", "flip", "--out", "b.safetensors"]) == 0
    assert run(["edit", "b.safetensors", "--limit", "2", "--op", "rotate:degrees=9", "--op", "turn",
                "--where", "index(0)", "--out", "c.json"]) == 0  # fmt: skip
    assert "2 sets of 9 splats" in capsys.readouterr().out
    made = load_sets("c.json")
    assert made.labels.tolist() == [1, 0]
    whole = Splats.load("b.safetensors")[:2]
    assert torch.equal(made.splats.means, apply(whole, ["rotate:degrees=9", "turn"], where="index(0)").means)
    assert run(["edit", "--replay", "c.json", "--out", "again.json"]) == 0
    assert (folder / "again.json").read_bytes() == (folder / "c.json").read_bytes()
    for limit in (0, "two"):
        values = json.loads((folder / "c.json").read_text())
        values["edits"][1]["values"]["limit"] = limit
        (folder / "d.json").write_text(json.dumps(values))
        assert "edits[1]: limit" in refused(capsys, "edit", "--replay", "d.json", "--out", "x.json")


def test_an_svg_keeps_the_history_as_those_of_other_verbs_do(folder):
    command = ["edit", "a.safetensors", "--limit", "1", "--op", "flip", "--out"]
    assert run([*command, "x.safetensors"]) == run([*command, "x.svg", "--size", "170"]) == 0
    assert load_sets("x.svg").header == replace(load("x.safetensors").header, conditions=None)
    assert 'width="170" height="120"' in (folder / "x.svg").read_text()
    assert run(["edit", "--replay", "x.svg", "--out", "y.safetensors"]) == 0
    assert torch.equal(Splats.load("y.safetensors").means, Splats.load("x.safetensors").means)


def test_the_file_itself_only_when_that_is_asked_for(folder, capsys):
    command = ["edit", "one.safetensors", "--op", "flip", "--out", "one.safetensors"]
    Image.new("L", (3, 3)).save("one.png")
    before = (folder / "one.safetensors").read_bytes()
    assert "is what is read; name another file, or allow it by --overwrite" in refused(capsys, *command)
    assert (folder / "one.safetensors").read_bytes() == before
    assert run([*command, "--overwrite"]) == 0
    assert (folder / "one.safetensors").read_bytes() != before
    assert Image.open("one.png").size == (3, 3)  # what the sets may have been made from
    assert Image.open("one.edited.png").size == (17, 12)
    assert "is not what one.safetensors was made from" in refused(
        capsys, "edit", "--replay", "one.safetensors", "--out", "b.safetensors"
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no.safetensors", "--op", "flip"], "no such splat file"),
        (["a.safetensors"], "there is nothing to do; give an operation"),
        (["--op", "flip"], "needs a file of sets, or --replay EDITED"),
        (["a.safetensors", "--op", "flop"], "did you mean flip?"),
        (["a.safetensors", "--op", "rotate:degrees=inf"], "must be a finite number, not 'inf'"),
        (["a.safetensors", "--op", "flip", "--where", "insid(0,0,1,1)"], "column 1, at 'insid(0,0,1,...': there is no"),
        (["a.safetensors", "--op", "flip", "--where", "none"], "holds no splat"),
        (["a.safetensors", "--op", "flip", "--where", "(" * 1000], "nested more than 50 deep"),
        (["a.safetensors", "--op", "delete"], "no splat would be left"),
        (["a.safetensors", "--op", "recolor:hue=3"], "grey sets have no hue"),
        (["a.safetensors", "--op", "flip", "--where", "all", "--where", "all"], "2 selections for 1 operations"),
        (["a.safetensors", "--op", "layer:file=no.safetensors"], "no.safetensors: no such"),
        (["a.safetensors", "--op", "layer:file=one.safetensors"], "RGB splats cannot be a layer of grey ones"),
        (["a.safetensors", "--op", "flip", "--size", "0"], "--size must lie between 1"),
        (["a.safetensors", "--op", "flip", "--limit", "0"], "--limit must be at least 1"),
        (["a.safetensors", "--op", "move"], "'move': changes nothing so; move takes x, y, as in move:x=0.1,y=-3px"),
        (["--replay", "a.safetensors", "--limit", "1"], "leave out FILE, --op, --where, --limit"),
        (["a.safetensors", "--op", "flip", "--source", "x"], "give --replay EDITED"),
        (["a.safetensors", "--replay", "a.safetensors"], "--replay takes all from the history"),
        (["--replay", "a.safetensors"], "has no history"),
        (["--replay", "no.safetensors"], "no such splat file"),
    ],
)
def test_bad_requests_are_one_sentence_and_write_nothing(argv, said, folder, capsys):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert said in refused(capsys, "edit", *argv, "--out", "x.safetensors")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_cannot_be_written_is_refused(folder, capsys):
    flip = ["edit", "a.safetensors", "--op", "flip", "--out"]
    assert "a .svg file holds one set, and there are 3" in refused(capsys, *flip, "x.svg")
    assert "told by the suffix" in refused(capsys, *flip, "x.png")
    (folder / "d.safetensors").mkdir()
    assert "is a folder" in refused(capsys, *flip, "d.safetensors")
    layer = ["edit", "a.safetensors", "--op", "layer:file=b.json", "--out", "b.json"]
    save(Splats.load("a.safetensors"), "b.safetensors")
    assert run(["convert", "b.safetensors", "b.json"]) == 0
    assert "b.json: is what is read" in refused(capsys, *layer)


def test_help_names_every_operation_and_selection(capsys):
    from gaussiandiffusion.edit.grammar import FUNCTIONS
    from gaussiandiffusion.edit.registry import OPERATIONS

    assert run(["edit", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in [*OPERATIONS, *FUNCTIONS])
