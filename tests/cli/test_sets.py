"""`train`, `render` and `evaluate` on files of sets, ours and others', as typed."""

import json
import sys
from types import ModuleType

import pytest
import safetensors.torch
import torch
from commands import refused
from PIL import Image
from safetensors import safe_open

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.cli.reading import SetFlags
from gaussiandiffusion.data.sets import holds_sets
from gaussiandiffusion.evaluation.sources import load_generated
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.set_readers import READERS
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.set_source import Loaded, Reading
from gaussiandiffusion.splats.shards import shard_files


@pytest.fixture
def sets(tmp_path, make_splats, monkeypatch):
    """Six labelled sets in a file, and as two shards in a folder; the working folder is beside them."""
    monkeypatch.chdir(tmp_path)
    splats, labels = make_splats(6, 5, 10, 12), torch.arange(6) % 3
    splats.save(tmp_path / "all.safetensors", labels=labels)
    for i, part in enumerate((slice(0, 4), slice(4, 6))):
        splats[part].save(tmp_path / "shards" / f"shard-0000{i}-of-00002.safetensors", labels=labels[part])
    return splats


@pytest.fixture
def other(sets, tmp_path, monkeypatch):
    """A file of another system; its reader tells what it guessed and notes what it was told."""
    (tmp_path / "their.toy").write_bytes((tmp_path / "all.safetensors").read_bytes())
    module, told = ModuleType("toy_reader"), []

    def open_toy(path, reading):
        told.append(reading)
        return Loaded(storage.load(path), "toy", ["drawing guessed to be direct", "2 sets left out: NaN"])

    module.open_toy = open_toy
    monkeypatch.setitem(sys.modules, "toy_reader", module)
    monkeypatch.setitem(READERS, ".toy", "toy_reader:open_toy")
    return told


def test_a_file_and_its_shards_are_drawn_and_evaluated_alike(sets, tmp_path):
    for name in ("all.safetensors", "shards"):
        assert run(["render", name, "--limit", "5", "--out", f"{name}.png"]) == 0
    drawn = [sorted((tmp_path / f"{name}.png").iterdir()) for name in ("all.safetensors", "shards")]
    assert [path.read_bytes() for path in drawn[0]] == [path.read_bytes() for path in drawn[1]]
    assert len(drawn[0]) == 5
    whole, parts = load_generated("all.safetensors"), load_generated("shards")
    assert whole.images.sha256 == parts.images.sha256
    assert list(parts.images.labels) == [0, 1, 2, 0, 1, 2]


def test_files_of_other_systems_are_taken_with_what_they_do_not_say(other, tmp_path, capsys):
    flags = [
        "--kernel-size",
        "17",
        "--clamp",
        "soft",
        "--sets-canvas",
        "10x12",
        "--values",
        "raw",
        "--labels",
        "l.json",
    ]
    assert run(["render", "their.toy", *flags, "--out", "png"]) == 0
    assert capsys.readouterr().err.splitlines()[:2] == [
        "their.toy: drawing guessed to be direct",
        "their.toy: 2 sets left out: NaN",
    ]
    (reading,) = other
    assert (reading.kernel_size, reading.clamp, reading.canvas, reading.values) == (17, "soft", (10, 12), "raw")
    assert str(reading.labels) == "l.json"
    assert load_generated("their.toy", reading=Reading()).notes[0] == "drawing guessed to be direct"
    tiny = ["--network", "tiny", "--budget", "0.004", "--render-weight", "0", "--mixed-precision", "no",
            "--num-inference-steps", "2", "--device", "cpu"]  # fmt: skip
    assert run(["train", "their.toy", "--sets-canvas", "28", *tiny]) == 0
    assert "their.toy: 2 sets left out: NaN" in capsys.readouterr().err
    assert other[-1].canvas == (28, 28)
    assert json.loads((tmp_path / "runs/their/config.json").read_text())["representation"]["per_slot"] is False


def test_what_holds_sets_and_what_holds_pictures(other, tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert holds_sets("all.safetensors")
    assert holds_sets("shards")
    assert holds_sets("their.toy")
    for name in ("", "mnist", "a.png", "none.safetensors", str(tmp_path)):
        assert not holds_sets(name)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "0.pt").touch()
    assert holds_sets(tmp_path / "theirs")
    Image.new("L", (4, 4)).save(tmp_path / "theirs" / "a.png")
    assert not holds_sets(tmp_path / "theirs")


def test_flags_that_make_no_sense_are_refused(sets, tmp_path, capsys):
    assert not SetFlags()
    assert SetFlags().reading() == Reading()
    for canvas in ("0", "10x", "x10", "10x12x3", "-4", "wide"):
        with pytest.raises(InputError, match="--sets-canvas must be N or HxW"):
            SetFlags(sets_canvas=canvas)
    assert "--kernel-size must be at least 2" in refused(capsys, "render", "shards", "--kernel-size=0", "--out", "o")
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert "--clamp is said of files of sets" in refused(capsys, "train", "a.png", "--clamp", "soft")


def damaged(path, new):
    """Write a file again with means of NaN."""
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    safetensors.torch.save_file(tensors | {"means": tensors["means"] * torch.nan}, new, metadata)


def test_bad_files_are_answered_in_one_line_and_nothing_is_lost(sets, make_splats, tmp_path, capsys):
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "all.safetensors").read_bytes()[:-10])
    damaged("all.safetensors", "nan.safetensors")
    sets[:1].save("single.safetensors")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("kept")
    for name, complaint in (
        ("cut", "is not a readable safetensors file"),
        ("nan", "means of set 0 hold NaN or infinity"),
        ("single", "one set is too few to train on"),
    ):
        file = f"{name}.safetensors"
        assert f"{file}: {complaint}" in refused(capsys, "train", file, "--output-dir", "run", "--device", "cpu")
        if name != "single":
            assert complaint in refused(capsys, "render", file, "--out", "png")
    second = tmp_path / "shards" / "shard-00001-of-00002.safetensors"
    make_splats(2, 5, 11, 12).save(second)
    for argv in (["train", "shards", "--output-dir", "run"], ["render", "shards", "--out", "png"]):
        assert "shard-00001-of-00002.safetensors: holds splat sets of different canvas" in refused(capsys, *argv)
    second.unlink()
    for argv in (["train", "shards", "--output-dir", "run"], ["render", "shards", "--out", "png"]):
        assert "lacks shard-00001-of-00002.safetensors" in refused(capsys, *argv)
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == "kept"
    assert not (tmp_path / "png").exists()


def test_shards_of_two_runs_are_not_one_data_set(sets, tmp_path):
    assert [path.name[:11] for path in shard_files(tmp_path / "shards")] == ["shard-00000", "shard-00001"]
    storage.save(sets, tmp_path / "shards" / "shard-00000-of-00001.safetensors")
    with pytest.raises(InputError, match="holds shards of 2 runs"):
        shard_files(tmp_path / "shards")
