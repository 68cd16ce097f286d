"""Data sets to files: interrupted, resumed, byte for byte the same."""

import json

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding import dataset, make_encoder, shards
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage


@pytest.fixture
def images(strokes, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_IMAGES", 20)  # three shards of 48 images
    return ImageSet.labelled(strokes, np.arange(48) % 3, "strokes", "train")


@pytest.fixture(scope="module")
def encoder():
    return make_encoder(1, num_splats=6, iterations=5)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}


class Killed(Exception):
    pass


def kill_after(count):
    seen = []

    def progress(n):
        seen.append(n)
        if sum(seen) >= count:
            raise Killed

    return progress


def test_shards_and_a_single_file_hold_the_same_sets(images, encoder, tmp_path):
    report = dataset.encode_dataset(images, encoder, tmp_path / "shards")
    dataset.encode_dataset(images, encoder, tmp_path / "one.safetensors")
    assert len(contents(tmp_path / "shards")) == 3
    assert not (tmp_path / "one.safetensors.partial").exists()
    one = storage.load(tmp_path / "one.safetensors")
    second = storage.load(tmp_path / "shards" / "shard-00001-of-00003.safetensors")
    assert bool((one.splats.means[20:40] == second.splats.means).all())
    assert one.labels.tolist() == images.labels.tolist()
    assert report["psnr"]["mean"] == pytest.approx(float(one.psnr.mean()), abs=2e-3)
    assert json.loads((tmp_path / "shards" / "encode.json").read_text())["source"]["sha256"] == images.sha256


@pytest.mark.parametrize("single", [False, True])
def test_killed_and_resumed_gives_the_same_bytes(images, encoder, tmp_path, single):
    suffix = ".safetensors" if single else ""
    whole, broken = tmp_path / f"whole{suffix}", tmp_path / f"broken{suffix}"
    dataset.encode_dataset(images, encoder, whole)
    with pytest.raises(Killed):
        dataset.encode_dataset(images, encoder, broken, progress=kill_after(30))
    report = dataset.encode_dataset(images, encoder, broken, resume=True)
    assert report["fitted_now"] == 28  # the first shard was kept
    if single:
        assert broken.read_bytes() == whole.read_bytes()
    else:
        assert contents(broken) == contents(whole)


def test_a_damaged_shard_is_written_again(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path)
    before = contents(tmp_path)
    shard = tmp_path / "shard-00002-of-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:50])
    assert dataset.encode_dataset(images, encoder, tmp_path, resume=True)["fitted_now"] == 8
    assert contents(tmp_path) == before


def test_shards_of_other_settings_or_images_are_not_mixed_in(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path)
    other = make_encoder(1, num_splats=7, iterations=5)
    with pytest.raises(InputError, match="made from other images or settings"):
        dataset.encode_dataset(images, other, tmp_path, resume=True)
    with pytest.raises(InputError, match="made from other images or settings"):
        dataset.encode_dataset(images[::-1], encoder, tmp_path, resume=True)
    assert dataset.encode_dataset(images, other, tmp_path)["fitted_now"] == 48


def test_images_below_the_target_are_counted(images, encoder, tmp_path):
    report = dataset.encode_dataset(images, encoder, tmp_path, target_psnr=95.0)
    assert report["below_target"] == 48
