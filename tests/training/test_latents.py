"""Training on pixels: latents are the images as their epoch shows them."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.data.augment import augment
from gaussiandiffusion.data.augmentation import Augmentation
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import with_settings

FLIP = {"flip": True}


@pytest.fixture(params=[0, 4], ids=["whole", "patches"])
def config(request, stroke_file):
    return with_settings(
        TrainConfig(), data=str(stroke_file), representation="pixels", patch=request.param, augment=FLIP
    )


def test_latents_depend_on_epoch_and_index_alone(config):
    latents, again = (load_training_set(config, None).latents for _ in range(2))
    indices = torch.arange(48)
    first = latents.take(0, indices)
    assert torch.equal(first, again.take(0, indices))
    assert torch.equal(first[[30, 5]], latents.take(0, torch.tensor([30, 5])))
    assert not torch.equal(first, latents.take(1, indices))
    assert not torch.equal(first, load_training_set(with_settings(config, seed=1), None).latents.take(0, indices))


def test_latents_are_the_augmented_images(config, strokes):
    data = load_training_set(config, None)
    indices = torch.tensor([7, 3, 40])
    expected = augment(strokes[indices.numpy()], Augmentation(**FLIP), config.optimiser.seed, 2, indices)
    drawn = data.representation.from_latent(data.latents.take(2, indices))
    assert np.array_equal((drawn * 255).round().to(torch.uint8).numpy(), expected)
    assert (len(data), data.conditions.spec.sizes, data.psnr) == (48, (3,), None)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"representation": "pixels", "render_weight": 1.0}, "render_weight is for splats"),
        ({"patch": 4}, "patch is for representation = pixels"),
        ({"patch": -1}, "patch must be >= 0"),
        ({"snapshot_every": -1}, "snapshot_every must be >= 0"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, complaint):
    with pytest.raises(InputError, match=complaint):
        with_settings(TrainConfig(), **settings)


def test_patches_that_do_not_tile_the_images_are_refused(config):
    with pytest.raises(InputError, match="patches of 5 pixels do not tile images of 16x16"):
        load_training_set(with_settings(config, patch=5), None)
