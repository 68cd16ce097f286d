"""The Ray engine on a real cluster of two workers: the same bytes, its failures, and without Ray."""

import sys

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet, ImageSource
from gaussiandiffusion.encoding import dataset, make_encoder, shards
from gaussiandiffusion.encoding.cluster import ray_engine
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def images(strokes, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_IMAGES", 10)
    return ImageSet.labelled(strokes, np.arange(48) % 3, "strokes")


@pytest.fixture(scope="module")
def encoder():
    return make_encoder(1, num_splats=6, iterations=5)


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray")  # of an extra
    import os

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    yield ray
    ray.shutdown()


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}


def test_a_cluster_writes_the_same_bytes(images, encoder, tmp_path, cluster):
    seen = []
    dataset.encode_dataset(images, encoder, tmp_path / "here", target_psnr=30.0)
    dataset.encode_dataset(
        images, encoder, tmp_path / "there", target_psnr=30.0, engine=ray_engine(), progress=seen.append
    )
    assert sum(seen) == 48
    assert len(contents(tmp_path / "here")) == 5
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert cluster.is_initialized()  # it was not ours to end

    # What was begun here is finished there.
    (tmp_path / "here" / "shard-00003-of-00005.safetensors").unlink()
    report = dataset.encode_dataset(
        images, encoder, tmp_path / "here", target_psnr=30.0, engine=ray_engine(), resume=True
    )
    assert report["fitted_now"] == 10
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_images_that_vanish_lose_no_shard_that_was_being_fitted(images, encoder, tmp_path, cluster):
    def fetch(positions):
        if positions[0] >= 30:
            raise InputError("30.png: cannot be read")
        return images.images[positions]

    with pytest.raises(InputError, match=r"30\.png"):
        dataset.encode_dataset(ImageSource(48, (16, 16, 1), fetch), encoder, tmp_path, engine=ray_engine())
    assert len(contents(tmp_path)) == 3


@pytest.mark.usefixtures("unchecked")
def test_a_failing_worker_is_told_in_one_sentence(images, tmp_path, cluster):
    class Broken:
        template = None
        settings = make_encoder(1, num_splats=6).settings

        def header(self):
            return {}

        def encode(self, images, **_):
            raise ValueError("no such kernel")

    with pytest.raises(InputError, match=r"a Ray worker failed: .*no such kernel") as caught:
        list(ray_engine()(Broken(), iter([(0, images)]), None, lambda n: None))
    assert "\n" not in str(caught.value)


def test_an_address_without_a_cluster_is_refused_at_once(images, encoder, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")  # of an extra
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # as if there were no other
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(InputError, match=r"RAY_ADDRESS=127\.0\.0\.1:9: no Ray cluster answers"):
        dataset.encode_dataset(images, encoder, tmp_path / "sets", engine=ray_engine())
    assert not (tmp_path / "sets").exists()


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"gaussiandiffusion\[ray\]"):
        ray_engine()
