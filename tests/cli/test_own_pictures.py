"""A folder of one's own pictures on the command line: --canvas, --fit, --mode, --split, and what lies about in it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from commands import refused
from PIL import Image, ImageDraw

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.splats import storage


@pytest.fixture
def icons(tmp_path):
    """Discs of two classes in both splits, of several sizes and modes."""
    random = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 4)):
        for i in range(count):
            name = ("apple", "bow")[i % 2]
            size = (20, 20) if i < 2 else (24 + i, 17)
            picture = Image.new(("RGBA", "RGB", "L", "P")[i % 4], size)
            colour = tuple(random.integers(100, 255, {"RGBA": 4, "RGB": 3}.get(picture.mode, 1)))
            ImageDraw.Draw(picture).ellipse((4, 4, 15, 15), fill=colour if len(colour) > 1 else int(colour[0]))
            path = tmp_path / "icons" / split / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    return tmp_path / "icons"


def encode(source, out, *flags) -> storage.SplatFile:
    assert run(["encode", str(source), "--splats", "6", "--iterations", "3", *flags, "--out", str(out)]) == 0
    return storage.load(out)


def test_pictures_of_many_kinds_are_encoded_on_one_canvas(icons, tmp_path):
    out = tmp_path / "x.safetensors"
    framing = ["--canvas", "16", "--fit", "pad", "--mode", "RGBA"]
    train = encode(icons, out, *framing)
    assert (len(train.splats), train.header.canvas) == (6, (16, 16, 4))
    assert (train.header.source["name"], train.header.source["split"]) == ("icons", "train")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    test = encode(icons, out, *framing, "--split", "test")
    assert (len(test.splats), test.header.source["split"]) == (4, "test")
    assert test.labels.tolist() == [0, 0, 1, 1]
    grey = encode(icons, out, "--canvas", "16", "--mode", "L", "--limit", "2")
    assert (len(grey.splats), grey.header.canvas) == (2, (16, 16, 1))


def test_a_template_is_learned_in_the_same_frame(icons, tmp_path):
    template = tmp_path / "template.safetensors"
    argv = ["encode", str(icons), "--splats", "6", "--iterations", "3", "--canvas", "12", "--mode", "RGB",
            "--split", "test", "--learn-template", str(template), "--out", str(tmp_path / "x.safetensors")]  # fmt: skip
    assert run(argv) == 0
    assert storage.load(template).header.canvas == storage.load(tmp_path / "x.safetensors").header.canvas == (12, 12, 3)
    assert storage.load(template).header.source["num"] == 6


def test_what_is_mixed_is_refused_with_the_flag_that_mends_it(icons, tmp_path, capsys):
    argv = ["encode", icons, "--out", tmp_path / "x.safetensors"]
    sentence = refused(capsys, *argv)
    for words in ("of several sizes (2 of 20x20", "of several kinds (", "--canvas N", "--mode RGB, RGBA or L"):
        assert words in sentence
    assert "--mode" not in refused(capsys, *argv, "--mode", "RGB")
    assert "--canvas" not in refused(capsys, *argv, "--canvas", "16")
    assert "--fit pad says how" in refused(capsys, *argv, "--fit", "pad")
    assert "--canvas must lie between" in refused(capsys, *argv, "--canvas", "0")
    assert "--mode" in refused(capsys, *argv, "--mode", "CMYK")
    assert "has no test split" in refused(capsys, *argv[:1], icons / "train", *argv[2:], "--split", "test")
    assert not (tmp_path / "x.safetensors").exists()


def typed(folder, *argv) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which must not wait for anything."""
    code = "import sys; from gaussiandiffusion.cli import main; main()"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_nothing_is_ever_waited_for(icons, tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs pipes")
    os.mkfifo(icons / "train" / "apple" / "0.png.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.symlink("loop", tmp_path / "loop")
    os.symlink("..", icons / "train" / "up")
    flags = ["--splats", "4", "--iterations", "2", "--canvas", "8", "--mode", "L", "--out", "o.safetensors"]
    for source, status, words in (
        ("icons", 0, "6 sets"),
        ("pipe.png", 2, "is neither a file nor a folder"),
        ("loop", 2, "is neither a file nor a folder"),
        ("/dev/zero", 2, "is neither a file nor a folder"),
    ):
        done = typed(tmp_path, "encode", source, *flags)
        assert (done.returncode, words in done.stdout + done.stderr) == (status, True), done.stderr


def test_of_a_damaged_picture_one_line_is_said(tmp_path):
    path = tmp_path / "icons" / "a.tif"
    path.parent.mkdir()
    Image.new("RGB", (8, 8)).save(path)
    path.write_bytes(path.read_bytes()[:-200])  # its decoder warns, and more than once
    done = typed(tmp_path, "encode", "icons", "--out", "x.safetensors")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "gaussiandiffusion: icons/a.tif: is not a TIFF file; get it again, or take it out"
    ]


def test_two_folders_are_measured_in_one_frame(tmp_path, capsys):
    random = np.random.default_rng(0)
    sizes = [(20, 28), (28, 28, 3), (32, 24)]
    for folder, count in (("made", 260), ("real/train", 270), ("real/test", 260)):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(random.integers(0, 255, sizes[i % 3], dtype=np.uint8)).save(tmp_path / folder / f"{i}.png")
    report = tmp_path / "report.json"
    argv = ["evaluate", "--generated", str(tmp_path / "made"), "--features", "mnist", "--out", str(report)]
    framing = ["--canvas", "28", "--mode", "L"]
    assert "of several sizes" in refused(capsys, *argv, "--real", tmp_path / "real")
    assert run([*argv, "--real", str(tmp_path / "real"), *framing]) == 0
    values = json.loads(report.read_text())
    assert values["num"] == 260
    assert values["floor_train"] is not None  # the train split beside the test split
    assert run([*argv, "--real", str(tmp_path / "real") + ":train", *framing]) == 0
    assert json.loads(report.read_text())["floor_train"] is None
    assert "has no test split" in refused(capsys, *argv, "--real", f"{tmp_path / 'made'}:test", *framing)
