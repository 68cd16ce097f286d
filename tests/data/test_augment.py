"""Augmentation: off it is nothing, on it is each sample's own, and it does what its names say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gaussiandiffusion.data.affine import warp
from gaussiandiffusion.data.augment import augment, draws
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.config import Augmentation

EVERYTHING = Augmentation(flip=True, shift=1.5, rotate=20, zoom=0.2)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (40, 3, 11, 14), dtype=np.uint8)


def changed(images, augmentation, epoch=0, seed=0):
    return augment(images, augmentation, seed, epoch, torch.arange(len(images)))


def test_off_it_gives_the_very_same_pixels(images):
    assert np.array_equal(changed(images, Augmentation()), images)


def test_a_sample_depends_on_its_address_and_on_no_other_sample(images):
    together = changed(images, EVERYTHING)
    for chosen in (torch.tensor([7]), torch.tensor([31, 2, 7]), torch.arange(5, 38)):
        apart = augment(images[chosen.numpy()], EVERYTHING, 0, 0, chosen)
        assert np.array_equal(apart, together[chosen.numpy()])
    for other in (changed(images, EVERYTHING, epoch=1), changed(images, EVERYTHING, seed=1)):
        assert sum(np.array_equal(a, b) for a, b in zip(other, together, strict=True)) == 0


def test_flip_mirrors_about_half_and_leaves_the_rest(images):
    many = np.tile(images, (10, 1, 1, 1))
    flipped = changed(many, Augmentation(flip=True))
    mirrored = (flipped == many[..., ::-1]).all((1, 2, 3))
    same = (flipped == many).all((1, 2, 3))
    assert (mirrored ^ same).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_whole_shifts_move_pixels_exactly_and_repeat_the_edge(images):
    shifted = changed(images, Augmentation(shift=2))
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    height, width = images.shape[2:]
    seen = set()
    for i in range(len(images)):
        at = [
            (dy, dx)
            for dy in range(5)
            for dx in range(5)
            if np.array_equal(shifted[i], padded[i, :, dy : dy + height, dx : dx + width])
        ]
        assert len(at) == 1
        seen.update(at)
    assert len(seen) > 12  # of 25


def dot(row, column, size=41):
    """A small blob in an otherwise black picture, many times."""
    images = np.zeros((200, 1, size, size), np.uint8)
    images[:, :, row - 1 : row + 2, column - 1 : column + 2] = 250
    return images


def centres(images):
    """(x, y) of each picture's mass, in pixels from the centre."""
    values = images[:, 0].astype(float)
    offsets = np.arange(images.shape[-1]) - (images.shape[-1] - 1) / 2
    mass = values.sum((1, 2))
    return np.stack([(values * offsets).sum((1, 2)) / mass, (values * offsets[:, None]).sum((1, 2)) / mass], 1)


def test_fractional_shifts_fill_their_range():
    moved = centres(changed(dot(20, 20), Augmentation(shift=1.5)))
    assert 1.3 < np.abs(moved).max() < 1.52
    assert len(np.unique(moved.round(2))) > 50


def test_rotation_turns_about_the_centre_by_at_most_its_angle():
    moved = centres(changed(dot(20, 32), Augmentation(rotate=30)))  # 12 pixels to the right
    angles = np.degrees(np.arctan2(moved[:, 1], moved[:, 0]))
    np.testing.assert_allclose(np.hypot(*moved.T), 12, atol=0.1)
    assert 27 < angles.max() < 30.3
    assert -30.3 < angles.min() < -27


def test_zoom_scales_about_the_centre_by_at_most_its_factor():
    moved = centres(changed(dot(20, 30), Augmentation(zoom=0.5)))  # 10 pixels to the right
    np.testing.assert_allclose(moved[:, 1], 0, atol=0.02)
    assert 14 < moved[:, 0].max() < 15.1
    assert 10 / 1.5 - 0.3 < moved[:, 0].min() < 7  # a reduced dot falls between pixels


def test_switching_one_change_on_leaves_the_others_as_they_were():
    """Flipping a symmetric picture is invisible, so the shifts with and without it can be compared."""
    only = changed(dot(20, 20), Augmentation(shift=3))
    both = changed(dot(20, 20), Augmentation(shift=3, flip=True))
    assert np.array_equal(only, both)
    assert draws(0, 0, torch.arange(3)).shape == (3, 5)


def test_warp_keeps_pixels_square_in_a_wide_picture():
    """A quarter turn of a dot 6 pixels right of the centre puts it 6 pixels above or below, not scaled."""
    image = torch.zeros(1, 1, 21, 41)
    image[0, 0, 10, 26] = 1
    quarter = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]])
    (place,) = (warp(image, quarter, torch.zeros(1, 2))[0, 0] > 0.99).nonzero().tolist()
    assert place == [16, 20]


@pytest.mark.parametrize("name", ["shift", "rotate", "zoom"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_impossible_amounts_are_refused(name, value):
    with pytest.raises(InputError, match=rf"augment\.{name} must be a number of at least 0"):
        replace(Augmentation(), **{name: value})
