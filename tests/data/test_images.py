"""`ImageSet`: slicing, limiting, the content's sum."""

from __future__ import annotations

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def ten(make) -> ImageSet:
    return ImageSet.labelled(make.noise(10, 3, 4, 5), np.arange(10), "ten", "train")


@pytest.mark.parametrize(
    ("index", "chosen"),
    [
        (slice(2, 7, 2), [2, 4, 6]),
        ([3, 1, 1], [3, 1, 1]),
        (np.array([9, 0]), [9, 0]),
        (np.arange(10) % 5 == 0, [0, 5]),
        (-1, [9]),
        ([], []),
    ],
)
def test_indexing_takes_images_and_labels_alike(ten, index, chosen):
    part = ten[index]
    assert part.labels.tolist() == chosen
    np.testing.assert_array_equal(part.images, ten.images[np.array(chosen, int)])
    assert (part.name, part.split) == ("ten", "train")


def test_iterating_gives_sets_of_one(ten):
    assert [int(one.labels[0]) for one in ten] == list(range(10))


@pytest.mark.parametrize(("n", "length"), [(None, 10), (1, 1), (10, 10), (99, 10), (np.int64(4), 4)])
def test_limit_takes_the_first(ten, n, length):
    assert len(ten.limit(n)) == length
    np.testing.assert_array_equal(ten.limit(n).images, ten.images[:length])


@pytest.mark.parametrize("n", [0, -3, 1.5, True, "4"])
def test_limit_refuses_what_is_no_count(ten, n):
    with pytest.raises(InputError, match="at least 1"):
        ten.limit(n)


def test_sha256_is_of_content_alone(ten):
    assert ten.sha256 == ImageSet.labelled(ten.images.copy(), ten.labels.copy(), "other").sha256
    assert ten[::-1][::-1].sha256 == ten.sha256  # memory layout does not matter


def test_sha256_sees_shape_pixels_and_labels(ten):
    images, labels = ten.images, ten.labels
    changed = images.copy()
    changed[7, 2, 3, 4] ^= 1
    others = [
        ImageSet.labelled(images.reshape(10, 3, 5, 4), labels),
        ImageSet.labelled(changed, labels),
        ImageSet.labelled(images, labels[::-1].copy()),
        ImageSet(images),
        ten.limit(9),
    ]
    assert len({ten.sha256, *(other.sha256 for other in others)}) == 6


@pytest.mark.parametrize(
    ("shape", "dtype", "labels"),
    [
        ((2, 4, 5), np.uint8, None),
        ((2, 2, 4, 5), np.uint8, None),
        ((2, 1, 4, 5), np.float32, None),
        ((2, 1, 4, 5), np.uint8, np.arange(3)),
        ((2, 1, 4, 5), np.uint8, np.zeros(2)),
    ],
)
def test_other_shapes_and_dtypes_are_refused(shape, dtype, labels):
    pixels = np.zeros(shape, dtype)
    with pytest.raises(InputError, match=r"must be|give one for each"):
        ImageSet(pixels) if labels is None else ImageSet.labelled(pixels, labels)
