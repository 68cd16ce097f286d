"""The border of every measure: bytes in, floats in [0, 1] on, nothing else."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.evaluation import check_unit_images, unit_images
from gaussiandiffusion.ground.errors import InputError


def test_bytes_become_floats_in_the_unit_interval():
    every = np.arange(256, dtype=np.uint8).reshape(4, 1, 8, 8)
    floats = unit_images(every)
    assert floats.dtype == torch.float32
    assert (floats.min(), floats.max()) == (0, 1)
    assert np.array_equal((floats * 255).round().numpy().astype(np.uint8), every)
    check_unit_images(floats)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 1, 4, 4), dtype=np.float32),
        np.zeros((2, 4, 4), dtype=np.uint8),
        np.zeros((2, 1, 4, 4), dtype=np.int64),
        [[0]],
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_only_stored_bytes_are_converted(images):
    with pytest.raises(InputError, match="uint8"):
        unit_images(images)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), "uint8"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.float64), "float64"),
        (torch.zeros(2, 4, 4), "shape"),
        (np.zeros((2, 1, 4, 4), dtype=np.float32), "not float32 of shape"),
        (torch.full((2, 1, 4, 4), 255.0), "span 255 to 255"),
        (torch.full((2, 1, 4, 4), -0.1), "span"),
        (torch.full((2, 1, 4, 4), float("nan")), "span nan"),
        (torch.zeros(0, 1, 4, 4), "at least one image"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_the_measuring_layer_refuses_what_torchmetrics_would_take(images, complaint):
    with pytest.raises(InputError, match=complaint):
        check_unit_images(images)
