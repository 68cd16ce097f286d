"""IDX files: round trip, labels beside, and every way of being damaged."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from gaussiandiffusion.data import load_images
from gaussiandiffusion.ground.errors import InputError


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("naming", ["train-{}-ubyte", "t10k-{}-ubyte", "mine.{}"])
def test_round_trip_with_labels_beside(tmp_path, make, ending, naming):
    pixels, labels = make.noise(6, 5, 7), np.array([3, 0, 255, 1, 1, 2])
    images = make.idx(tmp_path / (naming.format("images-idx3") + ending), pixels)
    make.idx(tmp_path / (naming.format("labels-idx1") + ".gz"), labels)
    loaded = load_images(images)
    np.testing.assert_array_equal(loaded.images, pixels[:, None])
    np.testing.assert_array_equal(loaded.labels, labels)
    assert loaded.labels.dtype == np.int64
    assert loaded.name == images.name
    assert loaded.split == {"train": "train", "t10k": "test"}.get(naming[:-9])


def test_images_alone_have_no_labels(tmp_path, make):
    loaded = load_images(make.idx(tmp_path / "some.idx3-ubyte", make.noise(3, 2, 2)), limit=2)
    assert loaded.labels is None
    assert loaded.images.shape == (2, 1, 2, 2)


def test_folder_of_idx_files_is_read_by_split(tmp_path, make):
    for prefix, count in (("train", 5), ("t10k", 3)):
        make.idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", make.noise(count, 4, 4))
        make.idx(tmp_path / f"{prefix}-labels-idx1-ubyte", np.arange(count))
    assert len(load_images(tmp_path)) == 5
    test = load_images(str(tmp_path), split="test")
    assert (len(test), test.split, test.name) == (3, "test", tmp_path.name)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError, match="t10k-images"):
        load_images(tmp_path, split="test")


@pytest.mark.parametrize("packed", [False, True])
def test_cut_short_anywhere_is_refused(tmp_path, make, packed):
    whole = make.idx_bytes(make.noise(2, 3, 3))
    whole = gzip.compress(whole) if packed else whole
    path = tmp_path / ("x-images-idx3-ubyte" + (".gz" if packed else ""))
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut short|is empty|is not an IDX|not a sound gzip") as caught:
            load_images(path)
        assert str(path) in str(caught.value)
    path.write_bytes(whole)
    assert len(load_images(path)) == 2


GOOD = np.zeros((2, 3, 3), np.uint8)
DAMAGED = {
    "trailing": ("x-idx3", lambda make: make.idx_bytes(GOOD) + b"\0", "goes on after"),
    "trailing_gz": ("x.gz", lambda make: gzip.compress(make.idx_bytes(GOOD) + b"\0"), "goes on after"),
    "junk_after_gz": ("x.gz", lambda make: gzip.compress(make.idx_bytes(GOOD)) + b"junk", "not a sound gzip"),
    "not_gz": ("x.gz", lambda make: make.idx_bytes(GOOD), "not a sound gzip"),
    "secretly_gz": ("x-idx3", lambda make: gzip.compress(make.idx_bytes(GOOD)), "is gzipped"),
    "magic": ("x-idx3", lambda make: b"ABCD" + make.idx_bytes(GOOD)[4:], "not an IDX file"),
    "floats": ("x-idx3", lambda make: make.idx_bytes(GOOD, kind=0x0D), "type 0x0d"),
    "labels": ("x-idx3", lambda make: make.idx_bytes(np.zeros(4)), "give the images file"),
    "no_images": ("x-idx3", lambda make: make.idx_bytes(np.zeros((0, 3, 3))), "no pixels"),
    "no_width": ("x-idx3", lambda make: make.idx_bytes(np.zeros((2, 3, 0))), "no pixels"),
    "lying_header": (
        "x.gz",
        lambda make: gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12 + b"\0" * 9),
        "cut short",
    ),
    "empty": ("x-idx3", lambda make: b"", "is empty"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_refused(tmp_path, make, case):
    name, content, message = DAMAGED[case]
    path = make.write(tmp_path / name, content(make))
    with pytest.raises(InputError, match=message) as caught:
        load_images(path)
    assert str(path) in str(caught.value)


def test_flipped_bit_in_gzip_is_found_by_its_checksum(tmp_path, make):
    whole = bytearray(gzip.compress(make.idx_bytes(make.noise(2, 8, 8)), compresslevel=0))
    whole[60] ^= 1
    with pytest.raises(InputError, match="not a sound gzip"):
        load_images(make.write(tmp_path / "x-images-idx3-ubyte.gz", bytes(whole)))


def test_counts_must_agree(tmp_path, make):
    images = make.idx(tmp_path / "train-images-idx3-ubyte", make.noise(3, 2, 2))
    make.idx(tmp_path / "train-labels-idx1-ubyte", np.arange(4))
    with pytest.raises(InputError, match="4 labels for the 3 images"):
        load_images(images)
