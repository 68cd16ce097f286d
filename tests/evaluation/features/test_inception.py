"""The adapter to Inception, with a recorder in the extractor's place."""

import numpy as np
import pytest
import torch
from torch import nn

from gaussiandiffusion.evaluation import unit_images
from gaussiandiffusion.evaluation.features.inception import InceptionFeatures
from gaussiandiffusion.ground.errors import InputError


class Recorder(nn.Module):
    """Keeps what it is given."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        self.seen = images
        return (torch.zeros(len(images), 2048),)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_extractor_sees_the_bytes_that_were_saved(channels):
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 6, 6), dtype=np.uint8)
    recorder = Recorder()
    features = InceptionFeatures(recorder)(unit_images(images))
    assert features.shape == (5, 2048)
    assert np.array_equal(recorder.seen.numpy(), np.broadcast_to(images, (5, 3, 6, 6)))


def test_images_with_transparency_are_refused():
    with pytest.raises(InputError, match="4 channels"):
        InceptionFeatures(Recorder())(torch.zeros(2, 4, 6, 6))
