"""Generated pictures against the true ones of the same conditions."""

from dataclasses import replace

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.measures.paired import BEST, paired, partners, psnr
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec

SPEC = ConditionSpec({"colour": ("red", "blue"), "size": ("s", "m", "l")})
VALUES = np.array([[colour, size] for colour in range(2) for size in range(3)], np.int64)


@pytest.fixture
def real() -> ImageSet:
    images = np.random.default_rng(0).integers(0, 200, (6, 3, 4, 4), dtype=np.uint8)
    return ImageSet(images, ConditionColumns(SPEC, VALUES), "things")


def test_every_picture_finds_its_true_one_in_any_order_of_attributes_and_values(real):
    turned = ConditionSpec({"size": ("l", "s"), "colour": ("blue", "red")})
    asked = ConditionColumns(turned, np.array([[0, 1], [1, 0]], np.int64))  # large red, small blue
    assert partners(asked, real).tolist() == [2, 3]


def test_psnr_is_of_the_true_pictures(real):
    order = np.array([5, 0, 3])
    off = real.images[order] + np.array([0, 10, 10], np.uint8)[:, None, None, None]
    found = paired(off, ConditionColumns(SPEC, VALUES[order]), real, None)
    assert found.partners == 3
    assert found.psnr_mean == pytest.approx((BEST + 2 * 20 * np.log10(25.5)) / 3)
    assert found.psnr_p10 == pytest.approx(20 * np.log10(25.5))
    assert found.as_asked is found.attributes is None


def test_pictures_without_a_true_one_are_counted_out(real):
    found = paired(real.images, ConditionColumns(SPEC, VALUES), real[:4], None)
    assert (found.partners, found.psnr_mean) == (4, BEST)


def test_a_verdict_that_looks_the_same_is_right(real):
    images = real.images.copy()
    images[1] = images[0]  # red: s and m are one picture
    seen = {"size": np.array([1, 1, 2, 0, 1, 0]), "colour": VALUES[:, 0]}
    found = paired(images, ConditionColumns(SPEC, VALUES), replace(real, images=images), seen)
    assert found.attributes == {"size": pytest.approx(5 / 6), "colour": 1.0}
    assert found.as_asked == pytest.approx(5 / 6)


def test_where_conditions_do_not_determine_the_picture_nothing_is_said(real):
    asked = ConditionColumns(SPEC, VALUES)
    assert partners(asked, replace(real, conditions=None)) is None
    assert partners(asked.without(["size"]), real) is None
    assert partners(asked, real[[0, 0, 1]]) is None  # two pictures of the same conditions
    one = ConditionColumns.of_labels(np.arange(6))
    assert partners(one, replace(real, conditions=one)) is None


def test_equal_pictures_have_the_best_psnr(real):
    assert psnr(real.images, real.images).tolist() == [BEST] * 6
