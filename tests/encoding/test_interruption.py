"""What befalls an encoder midway: killed, beside another one, its images gone; nothing finished is lost."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.data import ImageSet, ImageSource, open_images
from gaussiandiffusion.encoding import dataset, make_encoder, shards
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import LOCK
from gaussiandiffusion.splats import storage

CODE = """
import sys
from pathlib import Path
from gaussiandiffusion.data import open_images
from gaussiandiffusion.encoding import dataset, make_encoder, shards
shards.SHARD_IMAGES = 8
hold = lambda _: print("shard", flush=True) or sys.stdin.readline()
encoder = make_encoder(1, num_splats=6, iterations=5)
dataset.encode_dataset(open_images(sys.argv[1]), encoder, Path(sys.argv[2]), on_shard=hold)
"""


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_IMAGES", 8)


@pytest.fixture
def encoder():
    return make_encoder(1, num_splats=6, iterations=5)


@pytest.fixture
def folder(strokes, tmp_path):
    """The first 20 strokes as PNG files."""
    (tmp_path / "pictures").mkdir()
    for i, picture in enumerate(strokes[:20, 0]):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{i:02d}.png")
    return tmp_path / "pictures"


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}


@pytest.mark.parametrize("out", ["sets", "sets.safetensors"])
def test_killed_outright_locked_meanwhile_and_resumed(folder, encoder, tmp_path, out):
    target = tmp_path / out
    dataset.encode_dataset(open_images(folder), encoder, tmp_path / f"whole-{out}")
    command = [sys.executable, "-c", CODE, str(folder), str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "shard\n"
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "shard\n"  # two of three are written, and it waits
            for resume in (False, True):
                with pytest.raises(InputError, match=f"being written by another process .process {process.pid} on"):
                    dataset.encode_dataset(open_images(folder), encoder, target, resume=resume)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    report = dataset.encode_dataset(open_images(folder), encoder, target, resume=True)
    assert report["fitted_now"] == 4
    if target.suffix:
        assert target.read_bytes() == (tmp_path / f"whole-{out}").read_bytes()
        assert not (tmp_path / f"{out}.partial").exists()
    else:
        assert contents(target) == contents(tmp_path / f"whole-{out}")
        assert not (target / LOCK).exists()


def test_a_picture_that_vanishes_stops_it_and_finished_shards_stay(folder, encoder, tmp_path):
    before = threading.active_count()
    source = open_images(folder)
    (folder / "17.png").rename(tmp_path / "17.png")
    out = tmp_path / "sets"
    with pytest.raises(InputError, match=r"17\.png: cannot be read \(No such file"):
        dataset.encode_dataset(source, encoder, out)
    assert sorted(contents(out)) == ["shard-00000-of-00003.safetensors", "shard-00001-of-00003.safetensors"]
    assert threading.active_count() == before
    (tmp_path / "17.png").rename(folder / "17.png")
    assert dataset.encode_dataset(open_images(folder), encoder, out, resume=True)["fitted_now"] == 4


def test_an_interruption_ends_the_threads(strokes, encoder, tmp_path):
    before = threading.active_count()

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dataset.encode_dataset(ImageSet(strokes), encoder, tmp_path / "sets", progress=interrupt)
    assert threading.active_count() == before
    assert not (tmp_path / "sets").exists()  # nothing was finished, so nothing is left


def test_a_picture_changed_since_is_found(folder, encoder, tmp_path):
    out = tmp_path / "sets"
    dataset.encode_dataset(open_images(folder), encoder, out)
    before = contents(out)
    Image.open(folder / "09.png").transpose(Image.Transpose.ROTATE_90).save(folder / "09.png")
    with pytest.raises(InputError, match=r"shard-00001-of-00003.* was made from other images"):
        dataset.encode_dataset(open_images(folder), encoder, out, resume=True)
    assert contents(out) == before


def test_what_was_there_goes_only_when_there_is_something_better(strokes, encoder, tmp_path):
    images = ImageSet(strokes[:20], name="strokes")
    out = tmp_path / "sets"
    dataset.encode_dataset(images, encoder, out)
    before = contents(out)

    def broken(positions):
        raise InputError("0.png: is damaged")

    with pytest.raises(InputError, match="is damaged"):
        dataset.encode_dataset(ImageSource(20, (16, 16, 1), broken), encoder, out)
    template = make_encoder(3, num_splats=6, iterations=2).encode(np.zeros((1, 3, 16, 16), np.uint8)).splats
    template.save(tmp_path / "template.safetensors")
    other = make_encoder(1, num_splats=6, start=f"template:{tmp_path / 'template.safetensors'}")
    with pytest.raises(InputError, match=r"learned for 16x16 images of 3 channel.*strokes are 16x16 with 1"):
        dataset.encode_dataset(images, other, out)
    with pytest.raises(InputError, match="holds no images"):
        dataset.encode_dataset(images[:0], encoder, out)
    assert contents(out) == before
    assert (out / "encode.json").exists()


def test_the_next_shard_is_read_while_one_is_fitted(strokes, tmp_path):
    """Memory holds the shard being fitted and the one read ahead, no more."""
    asked, most = [], []

    def fetch(positions):
        asked.append(len(positions))
        return strokes[positions]

    encoder = make_encoder(1, num_splats=6, iterations=1)

    def engine(encoder, parts, target_psnr, progress):
        for i, part in parts:
            time.sleep(0.02)
            most.append(sum(asked) - 8 * i)
            yield i, encoder.encode(part.images)

    dataset.encode_dataset(ImageSource(48, (16, 16, 1), fetch), encoder, tmp_path / "sets", engine=engine)
    assert asked == [8] * 6
    assert max(most) == 16


def test_shards_are_cut_by_bytes_and_alike_every_time():
    assert shards.shard_length((28, 28, 1), 70) == 8  # patched here
    lengths = [shards.shard_length(canvas, k) for canvas, k in (((9000, 9000, 3), 10), ((2048, 2048, 1), 20_000))]
    assert lengths == [1, 3]


def test_other_engines_and_orders_give_the_same_files(strokes, encoder, tmp_path):
    images = ImageSet.labelled(strokes, np.arange(48) % 3)

    def backwards(encoder, parts, target_psnr, progress):
        for i, part in reversed(list(parts)):
            yield i, encoder.encode(part.images, threads=1)

    means = []
    for name, engine in (("a", None), ("b", backwards), ("c", dataset.local(3))):
        report = dataset.encode_dataset(images, encoder, tmp_path / name, engine=engine, on_shard=means.append)
        assert means[-1] == pytest.approx(report["psnr"]["mean"], abs=1e-3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")
    header = storage.load_header(tmp_path / "a" / "shard-00002-of-00006.safetensors")
    assert header.source["sha256"] == images[16:24].sha256
