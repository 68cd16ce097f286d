"""Edited files tell how they were made, and are made again from it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gaussiandiffusion.edit.applying import steps_of
from gaussiandiffusion.edit.edited_files import edit_file, save_edited
from gaussiandiffusion.edit.history import Edit, begin, file_sha256, record
from gaussiandiffusion.edit.replaying import replay
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.storage import HEADER_KEY, load, load_header


@pytest.fixture
def folder(tmp_path, monkeypatch, make_splats):
    monkeypatch.chdir(tmp_path)
    storage.save(make_splats(n=2, channels=3), "a.safetensors", labels=torch.tensor([3, 4]),
                 psnr=torch.tensor([30.0, 31.0]), source={"name": "strokes"}, encoder={"start": "grid"})  # fmt: skip
    storage.save(make_splats(n=1, k=3, channels=3, seed=5), "b.safetensors")
    Image.fromarray(np.full((12, 17), 255, np.uint8)).save("m.png")
    return tmp_path


def edited(path, out, operations, where=None):
    file, _ = edit_file(path, out, steps_of(operations, where))
    save_edited(file, out)
    return out


def test_a_header_without_edits_keeps_its_bytes_and_one_with_them_reads_back(folder):
    header = load_header("a.safetensors")
    assert header.edits is None
    assert "edits" not in json.loads(header.to_json())
    told = record(header, Edit("vary", {"seed": 3}, "all"), Edit("edit"))
    assert [edit.verb for edit in record(told, Edit("x")).edits] == ["vary", "edit", "x"]
    assert header.edits is None


def test_it_says_what_was_done_and_to_which_file(folder):
    out = edited(folder / "a.safetensors", folder / "sub" / "e.safetensors",
                 ["rotate:degrees=15", "layer:file=b.safetensors"], ["mask(m.png)", None])  # fmt: skip
    header = load_header(out)
    assert header.source == {
        "name": "strokes",
        "sets": {"path": "../a.safetensors", "sha256": file_sha256(folder / "a.safetensors")},
    }
    assert [edit.values for edit in header.edits] == [
        {"op": "rotate", "degrees": 15.0},
        {"op": "layer", "file": "b.safetensors"},
    ]
    assert [edit.where for edit in header.edits] == ["mask(m.png)", None]
    assert header.edits[0].files["m.png"].path == "../m.png"
    assert header.edits[1].files["b.safetensors"].sha256 == file_sha256(folder / "b.safetensors")
    file = load(out)
    assert file.labels.tolist() == [3, 4]
    assert file.psnr is None  # that of other pictures
    assert header.encoder == {"start": "grid"}


def test_an_edited_file_is_made_again_byte_for_byte(folder, monkeypatch):
    first = edited(folder / "a.safetensors", folder / "sub" / "e.safetensors",
                   ["rotate:degrees=15", "duplicate:x=0.1"], "mask(m.png) & brightness(0.3)")  # fmt: skip
    second = edited(first, folder / "f.json", ["layer:file=b.safetensors", "recolor:hue=40"])
    third = edited(second, folder / "sub" / "deeper" / "g.safetensors", ["crop:x0=2px,y0=2px,x1=9px,y1=9px"])
    assert load_header(third).source["sets"]["path"] == "../../a.safetensors"
    monkeypatch.chdir("/")  # names are told from the file, not from here
    for path in (first, second, third):
        again = path.with_name(f"again{path.suffix}")
        save_edited(replay(path), again)
        assert again.read_bytes() == path.read_bytes()


def test_it_is_found_beside_the_file_or_where_it_is_told(folder, tmp_path_factory):
    edited(
        folder / "a.safetensors", folder / "e.safetensors", ["flip", "layer:file=b.safetensors"], ["mask(m.png)", None]
    )
    other = tmp_path_factory.mktemp("other")
    (folder / "e.safetensors").rename(other / "e.safetensors")
    with pytest.raises(InputError, match=r"a.safetensors: is what .*e.safetensors was made from, and is not there"):
        replay(other / "e.safetensors")
    first = replay(other / "e.safetensors", folder / "a.safetensors")
    for name in ("a.safetensors", "b.safetensors", "m.png"):
        (other / name).write_bytes((folder / name).read_bytes())
    assert torch.equal(replay(other / "e.safetensors").splats.means, first.splats.means)


def test_what_has_changed_or_was_never_there_is_refused(folder, make_splats):
    out = edited(folder / "a.safetensors", folder / "e.safetensors", ["flip"], "mask(m.png)")
    with pytest.raises(InputError, match=r"a.safetensors: has no history"):
        replay(folder / "a.safetensors")
    Image.new("L", (17, 12)).save(folder / "m.png")
    with pytest.raises(InputError, match=r"m.png: is not what .*e.safetensors was made from, its SHA-256"):
        replay(out)
    storage.save(make_splats(n=2), folder / "a.safetensors")
    with pytest.raises(InputError, match=r"a.safetensors: is not what .* give the file as it was by --source"):
        replay(out)
    with pytest.raises(InputError, match=r"b.safetensors: is not what"):
        replay(out, folder / "b.safetensors")


def test_damaged_histories_are_refused(folder):
    out = edited(folder / "a.safetensors", folder / "e.safetensors", ["flip"])
    file = load(out)
    good, sets = file.header.edits[0], file.header.source["sets"]
    for source, edits, said in (
        ({"sets": sets}, [Edit("vary", {"seed": 1})], "its history holds `vary`, which needs a model"),
        ({"sets": sets}, [Edit("edit", {"op": "flap"})], "no operation 'flap'; did you mean flip?"),
        ({"sets": sets}, [Edit("edit", {})], "names no operation"),
        ({"sets": sets}, [Edit("edit", {"op": "rotate", "degrees": "x"})], r"edits\[0\]: degrees: expected float"),
        ({"sets": sets}, [replace(good, where="inside(")], "column 8"),
        ({"sets": {"path": 3}}, [good], "source.sets: path: expected str"),
        ({"sets": {"path": "/dev/zero", "sha256": "0"}}, [good], "/dev/zero: is what .* and is not there"),
        ({"sets": {"path": "a\0b", "sha256": "0"}}, [good], "and is not there"),
        ({"sets": sets, "reading": {"canvas": 3}}, [good], "source.reading: canvas"),
        ({}, [good], "has no history"),
    ):
        storage.save(file.splats, out, source=source, edits=edits)
        with pytest.raises(InputError, match=said):
            replay(out)
    raw = (folder / "a.safetensors").read_bytes()
    assert HEADER_KEY.encode() in raw
    header = begin(load_header("a.safetensors"), folder / "a.safetensors", folder / "z.safetensors", {"clamp": "soft"})
    assert header.source["reading"] == {"clamp": "soft"}
