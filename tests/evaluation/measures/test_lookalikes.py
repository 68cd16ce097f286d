"""Which values another picture shows as well, on pictures drawn to be alike or not."""

import math

import numpy as np
import pytest

from gaussiandiffusion.evaluation.measures.lookalikes import lookalikes
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec

SPEC = ConditionSpec({"colour": ("red", "blue"), "size": ("s", "m", "l")})
VALUES = np.array([[colour, size] for colour in range(2) for size in range(3)], np.int64)


@pytest.fixture
def images() -> np.ndarray:
    """Colours differ everywhere; s and m are the same picture in red, and one grey level apart in blue."""
    pixels = np.zeros((6, 3, 4, 4), np.uint8)
    pixels[:3, 0], pixels[3:, 2] = 200, 200
    pixels[4] += 1
    pixels[[2, 5], 1] = 100
    return pixels


def test_values_of_nearly_the_same_picture_are_alike(images):
    alike = lookalikes(images, ConditionColumns(SPEC, VALUES), "size")
    assert alike.tolist() == [[True, True, False], [True, True, False], [False, False, True]] * 2
    exact = lookalikes(images, ConditionColumns(SPEC, VALUES), "size", math.inf)
    assert exact[:3].tolist() == alike[:3].tolist()
    assert exact[3:].tolist() == np.eye(3, dtype=bool).tolist()


def test_other_attributes_are_not_touched(images):
    assert lookalikes(images, ConditionColumns(SPEC, VALUES), "colour").sum() == 6


def test_rows_are_those_asked_about(images):
    columns = ConditionColumns(SPEC, VALUES)
    rows = np.array([4, 0])
    assert np.array_equal(lookalikes(images, columns, "size", rows=rows), lookalikes(images, columns, "size")[rows])


def test_a_value_without_a_picture_is_not_alike(images):
    columns = ConditionColumns(SPEC, VALUES[1:])
    assert lookalikes(images[1:], columns, "size")[0].tolist() == [False, True, False]
