"""`animate` as a user types it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import refused
from PIL import Image

from gaussiandiffusion.cli.main import run

SAVED = Path(__file__).parents[1] / "fixtures" / "saved"
SPLATS, PIXELS = str(SAVED / "template-few-step"), str(SAVED / "unet-dpm")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three grey pictures of 8x8 pixels."""
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(3):
        array = np.zeros((8, 8), np.uint8)
        array[2:6, i + 1 : i + 4] = 255
        Image.fromarray(array).save(folder / f"{i}.png")
    return str(folder)


def animate(*argv):
    return run(["animate", *(str(argument) for argument in argv)])


def test_sixteen_digits_take_shape_in_less_than_a_megabyte(tmp_path, capsys):
    path = tmp_path / "digits.gif"
    assert animate("--process", "reverse", "--out", path) == 0
    assert "reverse, 25 frames" in capsys.readouterr().out
    assert path.stat().st_size <= 1_000_000
    assert run(["sample", "--num", "16", "--size", "96", "--out", str(tmp_path / "samples")]) == 0
    with Image.open(path) as gif, Image.open(tmp_path / "samples" / "images" / "00005.png") as sample:
        assert (gif.n_frames, gif.size) == (25, (394, 394))
        gif.seek(24)
        five = np.asarray(gif.convert("L"))[100:196, 100:196].astype(int)
        assert np.abs(five - np.asarray(sample)).max() <= 6  # what `sample` makes, in fewer greys


@pytest.mark.parametrize(
    ("argv", "size"),
    [
        (["--process", "reverse", "--model", SPLATS, "--compare", PIXELS, "--num", "2"], (2 * 198 + 8, 100 + 18)),
        (["--process", "reverse", "--model", SPLATS, "--show", "both", "--num", "1", "--size", "1"], None),
        (["--process", "forward", "--model", SPLATS, "--compare", "pixel", "--ellipses"], None),
        (["PICTURES", "--process", "forward", "--model", PIXELS, "--num", "2"], (198, 100)),
        (["PICTURES", "--process", "terminal", "--model", SPLATS, "--num", "2"], None),
        (["PICTURES", "--process", "interpolate", "--model", SPLATS, "--ellipses"], (100, 100)),
        (["PICTURES/0.png", "PICTURES/2.png", "--process", "interpolate", "--model", SPLATS], (100, 100)),
        (["PICTURES", "--process", "encode", "--splats", "3", "--num", "2", "--compare", "pixel"], (404, 136)),
        (["PICTURES", "--process", "encode", "--canvas", "1", "--mode", "RGBA", "--num", "1"], (140, 118)),
    ],
)
def test_every_process_is_animated_and_put_side_by_side(pictures, tmp_path, argv, size):
    argv = [word.replace("PICTURES", pictures) for word in argv]
    path = tmp_path / "x.gif"
    assert animate(*argv, "--frames", "4", "--out", path) == 0
    with Image.open(path) as gif:
        assert size is None or gif.size == size
        assert gif.n_frames == (6 if "interpolate" in argv else 4)
    assert animate(*argv, "--strip", "0,1", "--out", tmp_path / "x.png") == 0
    with Image.open(tmp_path / "x.png") as strip:
        assert getattr(strip, "n_frames", 1) == 1


def test_a_limit_is_of_what_is_read_and_a_number_of_what_is_shown(pictures, tmp_path):
    both = tmp_path / "x.png"
    for argv, shown in (
        (["forward", "--limit", "2"], 2),
        (["forward", "--limit", "3", "--num", "1"], 1),
        (["interpolate", "--limit", "2"], 1),  # the first becomes the second
        (["encode", "--splats", "3", "--limit", "1"], 1),
    ):
        model = [] if argv[0] == "encode" else ["--model", SPLATS]
        assert animate(pictures, "--process", *argv, *model, "--strip", "1", "--out", both) == 0
        with Image.open(both) as strip:
            assert round((strip.height - 18) / 98) == shown, argv


def test_equal_commands_write_equal_bytes_and_sets_are_taken_as_pictures_are(pictures, tmp_path):
    sets = tmp_path / "sets.safetensors"
    assert run(["encode", pictures, "--splats", "4", "--out", str(sets)]) == 0
    for name in ("a.apng", "b.apng"):
        assert animate(sets, "--process", "forward", "--model", SPLATS, "--frames", "3", "--out", tmp_path / name) == 0
    assert (tmp_path / "a.apng").read_bytes() == (tmp_path / "b.apng").read_bytes()


def test_sample_writes_every_kind_of_animation(tmp_path, capsys):
    pytest.importorskip("av")  # of an extra
    out = tmp_path / "out"
    argv = ["sample", "--model", SPLATS, "--num", "4", "--gif", "--mp4", "--apng", "--out", str(out)]
    assert run(argv) == 0
    assert "materialisation.gif, materialisation.mp4, materialisation.apng" in capsys.readouterr().out
    with Image.open(out / "materialisation.apng") as lossless, Image.open(out / "materialisation.gif") as gif:
        assert lossless.n_frames == gif.n_frames > 2


WRONG = [
    (["--process", "reverse", "--out", "x.txt"], "choose .gif, .mp4 or .apng for an animation, .png for a strip"),
    (["--process", "reverse", "--out", "x"], "the suffix says what to write"),
    (["--process", "encode", "--out", "x.gif"], "give one SOURCE"),
    (["a.png", "--process", "reverse", "--out", "x.gif"], "leave the SOURCE out"),
    (["a.png", "--process", "forward", "--out", "x.gif"], "a.png: no such file"),
    (["a", "b", "--process", "forward", "--out", "x.gif"], "forward takes one SOURCE at most"),
    (["--process", "forward", "--strip", "0,1.5", "--out", "x.png"], "times from 0 to 1 with commas between"),
    (["--process", "forward", "--strip", "half", "--out", "x.png"], "not 'half'"),
    (["--process", "forward", "--strip", "0,1", "--out", "x.gif"], "name it FILE.png"),
    (["--process", "reverse", "--compare", "pixel", "--out", "x.gif"], "give --compare FOLDER"),
    (["--process", "forward", "--compare", "mnist", "--out", "x.gif"], "--compare of forward must be pixel"),
    (["--process", "terminal", "--compare", "pixel", "--out", "x.gif"], "leave --compare out"),
    (["--process", "forward", "--show", "clean", "--out", "x.gif"], "take --process reverse"),
    (["--process", "forward", "--size", "0", "--out", "x.gif"], "--size must lie between"),
    (["--process", "forward", "--frames", "0", "--out", "x.gif"], "--frames must"),
    (["--process", "forward", "--num", "0", "--out", "x.gif"], "--num must"),
    (["--process", "forward", "--model", "nist", "--out", "x.gif"], "nist"),
    (["--process", "reverse", "--label", "ten", "--out", "x.gif"], "ten"),
    (["--process", "forward", "--limit", "2", "--out", "x.gif"], "--num says how many samples are shown"),
    (["--process", "reverse", "--canvas", "8", "--out", "x.gif"], "are of a SOURCE; give one"),
    (["--process", "terminal", "--split", "test", "--out", "x.gif"], "are of a SOURCE; give one"),
    (["--process", "forward", "--frames", "9", "--out", "x.png"], "is a strip, without --frames"),
    (["--process", "forward", "--fps", "9", "--strip", "0,1", "--out", "x.png"], "is a strip, without --fps"),
    ([__file__, "--process", "forward", "--limit", "0", "--out", "x.gif"], "--limit must"),
    (["--process", "reverse", "--start", "grid", "--out", "x.gif"], "--start is of an encoder's fit"),
    ([__file__, "--process", "forward", "--steps", "3", "--out", "x.gif"], "--steps is for samples"),
    (["--process", "dream", "--out", "x.gif"], "dream"),
    (["--process", "forward", "--out", f"{__file__}/x.gif"], "is a file"),
]


def test_what_cannot_be_shown_is_answered_in_a_sentence_before_pytorch_is_imported(tmp_path):
    argvs = [[f"{tmp_path}/{word}" if word.startswith("x") else word for word in argv] for argv, _ in WRONG]
    code = (
        "import sys; from gaussiandiffusion.cli.main import run\n"
        f"for argv in {argvs!r}:\n"
        "    assert run(['animate', *argv]) == 2, argv\n"
        "    assert 'torch' not in sys.modules, argv"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(WRONG)
    for line, (argv, complaint) in zip(lines, WRONG, strict=True):
        assert complaint in line, argv
    assert not list(tmp_path.iterdir())


def test_what_only_the_model_or_the_pictures_tell_is_refused_too(pictures, tmp_path, capsys, monkeypatch):
    out = tmp_path / "x.gif"

    def said(*argv):
        return refused(capsys, "animate", *argv, "--out", out)

    assert "no ellipses" in said("--process", "reverse", "--model", PIXELS, "--ellipses")
    assert "generates pixels" in said("--process", "interpolate", "--model", PIXELS)
    assert "--canvas 28 --mode L" in said(pictures, "--process", "forward")
    assert "holds pictures; --clamp is said of" in said(pictures, "--process", "forward", "--clamp", "soft")
    assert "leave --model out" in said(pictures, "--process", "encode", "--model", "mnist")
    assert "too much to hold" in said("--process", "reverse", "--model", SPLATS, "--size", "9000")
    one = str(Path(pictures) / "0.png")
    assert "holds one picture" in said(one, "--process", "interpolate", "--model", SPLATS)
    monkeypatch.setitem(sys.modules, "av", None)
    line = refused(capsys, "animate", "--process", "reverse", "--out", tmp_path / "x.mp4")
    assert 'pip install "gaussiandiffusion[video]"' in line
    assert not list(tmp_path.iterdir())
