"""Data sets by name: the user's folder, the download from a server on this machine, the cache."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from gaussiandiffusion.data import DATASETS, DatasetSpec, PublishedFile, load_dataset, load_images
from gaussiandiffusion.data.datasets import open_idx_split
from gaussiandiffusion.data.download import cache_folder
from gaussiandiffusion.data.idx import open_idx
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def server():
    """An HTTP server on loopback: `files` maps paths to bytes, `asked` lists what was asked for."""
    state = SimpleNamespace(files={}, asked=[], cut=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state.asked.append(self.path)
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if state.cut else content)

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{httpd.server_address[1]}"

    def stop():
        httpd.shutdown()
        httpd.server_close()
        thread.join()

    state.stop = stop
    yield state
    if thread.is_alive():
        stop()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "gaussiandiffusion" / "datasets" / "tiny"


@pytest.fixture
def tiny(make, server) -> DatasetSpec:
    """A data set of 6 + 3 images of 4x5, served under /good/ and nowhere else."""
    files = {"train": [], "test": []}
    for split, prefix, count in (("train", "train", 6), ("test", "t10k", 3)):
        arrays = {"images-idx3": make.noise(count, 4, 5, seed=count), "labels-idx1": np.arange(count) % 3}
        for kind, array in arrays.items():
            content = make.idx_bytes(array)
            digest = hashlib.sha256(content).hexdigest()
            file = PublishedFile(f"{prefix}-{kind}-ubyte", len(content), digest, gzipped=True)
            server.files[f"/good/{file.published}"] = gzip.compress(content)
            files[split].append(file)
    return DatasetSpec(
        "tiny",
        open_idx_split,
        files,
        (f"{server.address}/good/",),
        ConditionSpec.of_classes(("a", "b", "c")),
        (4, 5, 1),
    )


def left_behind(cache) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_download_then_cache_with_the_server_down(tiny, server, cache, make, capsys):
    first = load_dataset(tiny, "train")
    np.testing.assert_array_equal(first.images[:, 0], make.noise(6, 4, 5, seed=6))
    assert (first.labels.tolist(), first.name, first.split) == ([0, 1, 2, 0, 1, 2], "tiny", "train")
    assert left_behind(cache) == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert cache_folder("tiny") == cache
    output = capsys.readouterr()
    assert output.out == ""
    assert "train-images-idx3-ubyte.gz" in output.err
    server.stop()
    assert load_dataset(tiny, "train").sha256 == first.sha256
    with pytest.raises(InputError, match="cannot be downloaded"):
        load_dataset(tiny, "test")


@pytest.mark.parametrize("bad", ["missing", "other", "html", "dead"])
def test_next_mirror_is_tried(tiny, server, make, bad):
    if bad == "other":
        for file in tiny.files["test"]:
            content = b"\1" * file.size
            server.files[f"/bad/{file.published}"] = gzip.compress(content)
    if bad == "html":
        server.files |= {f"/bad/{file.published}": b"<html>please log in</html>" for file in tiny.files["test"]}
    first = "http://127.0.0.1:9/" if bad == "dead" else f"{server.address}/bad/"
    spec = dataclasses.replace(tiny, mirrors=(first, *tiny.mirrors))
    assert len(load_dataset(spec, "test")) == 3


REFUSED = {
    "checksum": (lambda spec: gzip.compress(b"\1" * spec.files["train"][0].size), "checksum differs"),
    "shorter": (lambda spec: gzip.compress(b"\1"), "checksum differs"),
    "longer": (lambda spec: gzip.compress(b"\1" * 1_000_000), "larger than published"),
    "html": (lambda spec: b"<html></html>", "not gzip"),
    "nothing": (lambda spec: b"", "broke off"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_content_is_refused_and_leaves_nothing(tiny, server, cache, case):
    content, message = REFUSED[case]
    server.files[f"/good/{tiny.files['train'][0].published}"] = content(tiny)
    with pytest.raises(InputError, match=message) as caught:
        load_dataset(tiny, "train")
    assert left_behind(cache) == []
    sentence = str(caught.value)
    for word in (
        "tiny",
        tiny.mirrors[0],
        "--data-dir",
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ):
        assert word in sentence


def test_every_address_is_named(tiny, server):
    spec = dataclasses.replace(tiny, mirrors=(f"{server.address}/one/", f"{server.address}/two/"))
    with pytest.raises(InputError, match=r"/one/.*HTTP 404.*/two/.*HTTP 404"):
        load_dataset(spec, "train")


def test_broken_off_download_leaves_nothing(tiny, server, cache):
    server.cut = True
    with pytest.raises(InputError, match="broke off"):
        load_dataset(tiny, "train")
    assert left_behind(cache) == []


def test_interruption_leaves_nothing(tiny, cache, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(http.client.HTTPResponse, "read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_dataset(tiny, "train")
    assert left_behind(cache) == []


def test_damaged_cache_mends_itself(tiny, server, cache):
    whole = load_dataset(tiny, "train")
    (cache / "train-images-idx3-ubyte.gz").write_bytes(b"half")
    assert load_dataset(tiny, "train").sha256 == whole.sha256


@pytest.fixture
def lone(make, server) -> DatasetSpec:
    """A data set of one file that is published as it is, for both splits, in a sub-folder."""
    content = make.idx_bytes(make.noise(4, 4, 5))
    server.files["/good/sub/all.idx"] = content
    files = (PublishedFile("sub/all.idx", len(content), hashlib.sha256(content).hexdigest()),)
    return DatasetSpec(
        "tiny",
        lambda folder, split: open_idx(folder / "sub" / "all.idx", None),
        {"train": files, "test": files},
        (f"{server.address}/good/",),
        ConditionSpec.of_classes(0),
        (4, 5, 1),
    )


def test_a_file_published_unpacked(lone, server, cache, make):
    for split in ("train", "test"):
        np.testing.assert_array_equal(load_dataset(lone, split).images[:, 0], make.noise(4, 4, 5))
    assert server.asked == ["/good/sub/all.idx"]  # once for both splits
    server.cut = True
    (cache / "sub" / "all.idx").write_bytes(b"half")
    with pytest.raises(InputError, match="broke off"):
        load_dataset(lone, "train")


@pytest.mark.parametrize(
    "change", [lambda whole: whole + b"x", lambda whole: whole[:-1], lambda whole: whole[:-1] + b"x"]
)
def test_an_unpacked_file_of_other_content_is_refused(lone, server, cache, change):
    server.files["/good/sub/all.idx"] = change(server.files["/good/sub/all.idx"])
    with pytest.raises(InputError, match=r"checksum differs|larger than published"):
        load_dataset(lone, "train")
    assert left_behind(cache) == []


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_published_data_sets_are_fully_described(name):
    spec = DATASETS[name]
    assert spec.name == name
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in spec.mirrors)
    assert spec.mirrors[0].startswith("https://")
    files = [file for files in spec.files.values() for file in files]
    assert len({file.sha256 for file in files}) == 4
    assert all(len(file.sha256) == 64 for file in files)
    assert spec.conditions.sizes == (10,)
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = spec.files[split]
        assert (images.size, labels.size) == (16 + count * 784, 8 + count)


@pytest.fixture
def digits(make):
    """A function that writes a few images in MNIST's form to a folder."""

    def write(folder, ending="", size=28, labels=(3, 1, 4)):
        make.idx(folder / f"train-images-idx3-ubyte{ending}", make.noise(len(labels), size, size))
        make.idx(folder / f"train-labels-idx1-ubyte{ending}", np.array(labels))
        return folder

    return write


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("below", [".", "fashion-mnist", "fashion_mnist"])
def test_data_dir_holds_the_files_or_a_folder_of_them(tmp_path, digits, ending, below):
    digits(tmp_path / below, ending)
    loaded = load_images("Fashion_MNIST", data_dir=str(tmp_path), limit=2)
    assert (loaded.labels.tolist(), loaded.name, loaded.split) == ([3, 1], "fashion-mnist", "train")
    with pytest.raises(InputError, match="t10k-images"):
        load_images("fashion-mnist", data_dir=tmp_path, split="test")


@pytest.mark.parametrize(("options", "message"), [({"size": 32}, "32x32"), ({"labels": (3, 10)}, "label 10")])
def test_data_dir_with_other_content_is_refused(tmp_path, digits, options, message):
    with pytest.raises(InputError, match=message):
        load_images("mnist", data_dir=digits(tmp_path, **options))


def test_files_of_another_data_set_are_told_apart(tmp_path, digits, make, monkeypatch):
    labels = hashlib.sha256(make.idx_bytes(np.array([3, 1, 4]))).hexdigest()
    twin = dataclasses.replace(DATASETS["mnist"], name="twin", files={"train": [PublishedFile("labels", 11, labels)]})
    monkeypatch.setitem(DATASETS, "twin", twin)
    with pytest.raises(InputError, match="files of twin, not of mnist"):
        load_images("mnist", data_dir=digits(tmp_path))


@pytest.mark.parametrize("folder", ["missing", "."])
def test_data_dir_without_the_files(tmp_path, folder):
    with pytest.raises(InputError, match="mnist"):
        load_images("mnist", data_dir=tmp_path / folder)
