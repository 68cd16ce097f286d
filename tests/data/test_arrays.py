"""NumPy archives: layouts, dtypes, keys, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussiandiffusion.data import load_images
from gaussiandiffusion.data.arrays import quantised, to_nchw
from gaussiandiffusion.ground.errors import InputError


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


@given(
    count=st.integers(1, 3),
    channels=st.sampled_from([1, 3, 4]),
    height=st.integers(5, 9),
    width=st.integers(5, 9),
)
def test_every_layout_says_the_same(count, channels, height, width):
    images = np.arange(count * channels * height * width).reshape(count, channels, height, width)
    np.testing.assert_array_equal(to_nchw(images, "x"), images)
    np.testing.assert_array_equal(to_nchw(images.transpose(0, 2, 3, 1), "x"), images)
    np.testing.assert_array_equal(to_nchw(images[:, 0], "x"), images[:, :1])
    np.testing.assert_array_equal(to_nchw(images[0, 0], "x"), images[:1, :1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_give_back_every_level(dtype):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    np.testing.assert_array_equal(quantised((levels / 255).astype(dtype), "x"), levels)


@pytest.mark.parametrize("keys", [("images", "labels"), ("x", "y"), ("pictures", "y")])
def test_keys(tmp_path, make, keys):
    pixels = make.noise(4, 8, 8, 3)
    labels = np.array([[1], [0], [2], [7]], np.uint8)  # a column, as some archives have it
    path = save(tmp_path / "some.npz", **{keys[0]: pixels, keys[1]: labels})
    loaded = load_images(path, limit=3)
    np.testing.assert_array_equal(loaded.images, pixels[:3].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(loaded.labels, [1, 0, 2])
    assert loaded.images.flags.c_contiguous
    assert (loaded.name, loaded.split, loaded.labels.dtype) == ("some.npz", None, np.int64)


ONE = np.zeros((2, 8, 8), np.uint8)
REFUSED = {
    "above_one": ({"x": np.full((2, 8, 8), 1.5)}, "holds 1.5"),
    "negative": ({"x": np.full((2, 8, 8), -0.5)}, "holds -0.5"),
    "nan": ({"x": np.array([[0.0, np.nan] * 4] * 8)}, "holds NaN"),
    "infinite": ({"x": np.full((2, 8, 8), np.inf)}, "holds inf"),
    "int64": ({"x": np.zeros((2, 8, 8), np.int64)}, "is int64"),
    "bool": ({"x": np.zeros((2, 8, 8), bool)}, "is bool"),
    "empty": ({"x": np.zeros((0, 8, 8), np.uint8)}, "no pixels"),
    "line": ({"x": np.zeros(8, np.uint8)}, "shape"),
    "two_channels": ({"x": np.zeros((2, 8, 8, 2), np.uint8)}, "no axis"),
    "two_ways": ({"x": np.zeros((2, 3, 8, 3), np.uint8)}, "either axis"),
    "lone_colour": ({"x": np.zeros((8, 8, 3), np.uint8)}, "add an axis"),
    "no_key": ({"a": ONE, "b": ONE}, "holds a, b"),
    "nothing": ({}, "holds nothing"),
    "float_labels": ({"x": ONE, "y": np.zeros(2)}, "labels are integers"),
    "word_labels": ({"x": ONE, "y": np.array(["a", "b"])}, "labels are integers"),
    "few_labels": ({"x": ONE, "y": np.arange(1)}, "each of 2 images"),
    "negative_labels": ({"x": ONE, "y": np.array([0, -1])}, "labels are 0, 1, 2"),
    "huge_labels": ({"x": ONE, "y": np.array([0, 2**63], np.uint64)}, "labels are 0, 1, 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_image_is_refused(tmp_path, case):
    arrays, message = REFUSED[case]
    path = save(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load_images(path)
    assert str(path) in str(caught.value)


def test_pickles_are_never_opened(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, images=np.array([{"a": 1}], object))
    with pytest.raises(InputError, match="plain arrays"):
        load_images(path)


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x04N.", b"PK\x03\x04 and no more"])
def test_what_is_no_archive_is_refused(tmp_path, make, content):
    with pytest.raises(InputError, match=r"\.npz"):
        load_images(make.write(tmp_path / "x.npz", content))


def test_lone_npy_is_told_apart(tmp_path):
    with open(tmp_path / "x.npz", "wb") as file:
        np.save(file, ONE)
    with pytest.raises(InputError, match="savez"):
        load_images(tmp_path / "x.npz")


def test_cut_short_anywhere_is_refused(tmp_path):
    path = save(tmp_path / "x.npz", images=np.zeros((1, 2, 2), np.uint8))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"x\.npz"):
            load_images(path)
