"""Shards that are in the way, reports, and places that cannot be written."""

import json

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding import dataset, make_encoder, shards
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage


@pytest.fixture
def images(strokes, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_IMAGES", 20)
    return ImageSet(strokes, None, "strokes")


@pytest.fixture
def encoder():
    return make_encoder(1, num_splats=4, iterations=3)


def test_resuming_with_fewer_images_does_not_leave_the_others_beside(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path)
    with pytest.raises(InputError, match=r"shard-00000-of-00003\.safetensors: was made from other images"):
        dataset.encode_dataset(images[:40], encoder, tmp_path, resume=True)
    dataset.encode_dataset(images[:40], encoder, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "shard-00000-of-00002.safetensors",
        "shard-00001-of-00002.safetensors",
    ]


def test_only_shards_are_replaced(images, encoder, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    dataset.encode_dataset(images, encoder, tmp_path)
    dataset.encode_dataset(images[:20], encoder, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "encode.json",
        "notes.txt",
        "shard-00000-of-00001.safetensors",
    ]


def test_resuming_what_is_complete_fits_nothing_and_tells_the_same(images, encoder, tmp_path):
    first = dataset.encode_dataset(images, encoder, tmp_path)
    seen = []
    again = dataset.encode_dataset(images, encoder, tmp_path, resume=True, progress=seen.append)
    assert seen == [20, 20, 8]
    assert (first["fitted_now"], again["fitted_now"], again["images_per_second"]) == (48, 0, None)
    for key in ("num", "psnr", "encoder", "source"):
        assert again[key] == first[key]


def test_resuming_from_nothing_is_starting(images, encoder, tmp_path):
    assert dataset.encode_dataset(images, encoder, tmp_path / "new", resume=True)["fitted_now"] == 48


def test_shards_of_another_target_are_refused(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path, target_psnr=20.0)
    for target in (None, 25.0):
        with pytest.raises(InputError, match="made from other images or settings"):
            dataset.encode_dataset(images, encoder, tmp_path, target_psnr=target, resume=True)


def test_a_shard_that_says_nothing_of_its_making_is_refused(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path)
    shard = tmp_path / "shard-00001-of-00003.safetensors"
    file = storage.load(shard)
    file.splats.save(shard)
    with pytest.raises(InputError, match="made from other images or settings"):
        dataset.encode_dataset(images, encoder, tmp_path, resume=True)
    file.splats.save(shard, encoder=file.header.encoder, source=file.header.source)
    with pytest.raises(InputError, match="holds no PSNR"):
        dataset.encode_dataset(images, encoder, tmp_path, resume=True)


@pytest.mark.parametrize("out", ["sets.safetensors", "sets"])
def test_the_report_is_that_of_the_file(images, encoder, tmp_path, out):
    report = dataset.encode_dataset(images, encoder, tmp_path / out, target_psnr=20.0)
    written = tmp_path / ("sets.encode.json" if out.endswith("s") and "." in out else "sets/encode.json")
    assert json.loads(written.read_text()) == report
    files = [tmp_path / out] if "." in out else sorted((tmp_path / out).glob("*.safetensors"))
    psnr = np.concatenate([storage.load(path).psnr.numpy() for path in files])
    assert report["num"] == len(psnr) == 48
    assert report["psnr"]["mean"] == pytest.approx(float(psnr.mean()), abs=1e-3)
    assert report["psnr"]["min"] == pytest.approx(float(psnr.min()), abs=1e-3)
    assert report["below_target"] == int((psnr < 19.95).sum())
    percentiles = [report["psnr"][f"p{q}"] for q in (1, 10, 50, 90, 99)]
    assert percentiles == sorted(percentiles)


def test_sets_without_labels_have_none_and_files_know_their_making(images, encoder, tmp_path):
    dataset.encode_dataset(images, encoder, tmp_path / "x.safetensors")
    file = storage.load(tmp_path / "x.safetensors")
    assert file.labels is None
    assert file.header.encoder == encoder.header() | {"target_psnr": None}
    assert file.header.source == {"name": "strokes", "split": None, "sha256": images.sha256, "num": 48}
    text = file.header.to_json()
    assert "seconds" not in text
    assert "threads" not in text


@pytest.mark.parametrize("out", ["file/sets", "file/sets.safetensors"])
def test_an_unwritable_place_is_named(images, encoder, tmp_path, out):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        dataset.encode_dataset(images, encoder, tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
