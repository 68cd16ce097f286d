"""Label accuracy with a judge whose verdict is known."""

import numpy as np
import pytest

from gaussiandiffusion.evaluation import label_accuracy
from gaussiandiffusion.ground.errors import InputError


def test_accuracy_is_the_fraction_of_right_verdicts(pixel_space):
    images = np.zeros((10, 1, 2, 2), dtype=np.uint8)
    images[:4] = 255
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 1])
    assert label_accuracy(pixel_space.network, images, labels) == 0.8
    assert label_accuracy(pixel_space.network, images, labels, batch_size=3) == 0.8


@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused(pixel_space):
    images = np.zeros((4, 1, 2, 2), dtype=np.uint8)
    with pytest.raises(InputError, match="4 images came with 3 labels"):
        label_accuracy(pixel_space.network, images, np.zeros(3, dtype=np.int64))
    with pytest.raises(InputError, match="at least one image"):
        label_accuracy(pixel_space.network, images[:0], np.zeros(0, dtype=np.int64))
    with pytest.raises(InputError, match="uint8"):
        label_accuracy(pixel_space.network, images.astype(np.float32), np.zeros(4, dtype=np.int64))
