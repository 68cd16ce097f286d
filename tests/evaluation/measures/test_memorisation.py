"""Copies are found, new images are not blamed."""

from importlib import import_module

import numpy as np
import pytest

from gaussiandiffusion.evaluation import memorisation, nearest_images, neighbours_picture


def noise(count: int, seed: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (count, 1, 4, 4), dtype=np.uint8)


def test_the_nearest_image_is_that_of_all_distances(monkeypatch):
    images, train = noise(30, seed=1), noise(100, seed=2)
    train[17] = images[4]
    difference = (images[:, None].astype(float) - train[None]) / 255
    every = np.sqrt((difference**2).sum((2, 3, 4)))
    module = import_module(nearest_images.__module__)  # its name in the package is a function's
    for sizes in ((7, 13), (4096, 2048)):
        monkeypatch.setattr(module, "TRAIN_BLOCK", sizes[0])
        monkeypatch.setattr(module, "QUERY_BLOCK", sizes[1])
        distances, nearest = nearest_images(images, train)
        assert np.array_equal(nearest, every.argmin(1))
        assert distances == pytest.approx(every.min(1), rel=1e-6)
        assert (nearest[4], distances[4]) == (17, 0)


def test_copies_are_near_and_stand_first():
    train, real, generated = noise(500, seed=1), noise(400, seed=2), noise(400, seed=3)
    generated[40:60] = train[100:120]
    found = memorisation(generated, real, train)
    assert found.share_near == pytest.approx(20 / 400 + 0.01, abs=0.015)
    assert all(pair.distance == 0 and pair.train == pair.generated + 60 for pair in found.closest)
    assert found.median == pytest.approx(found.median_real, rel=0.05)
    assert found.threshold < found.median_real
    assert all(pair.distance == pytest.approx(found.median, rel=0.02) for pair in found.typical)


def test_new_images_are_as_near_as_real_ones():
    found = memorisation(noise(2000, seed=3), noise(2000, seed=2), noise(500, seed=1))
    assert found.share_near == pytest.approx(found.share_near_expected, abs=0.01)


def test_the_picture_shows_pairs_above_one_another():
    train, real, generated = noise(60, seed=1), noise(50, seed=2), noise(50, seed=3)
    generated[7] = train[11]
    found = memorisation(generated, real, train)
    picture = np.asarray(neighbours_picture(found, generated, train))
    scale = picture.shape[1] // (10 * 6 + 2)  # ten pictures of four pixels, a gap of two about each
    sheet = picture[::scale, ::scale]
    assert sheet.shape == (5 * 6 + 2, 10 * 6 + 2)
    assert np.array_equal(sheet[2:6, 2:6], generated[7, 0])
    assert np.array_equal(sheet[8:12, 2:6], train[11, 0])
    assert np.array_equal(sheet[20:24, 8:12], generated[found.typical[1].generated, 0])
    assert np.array_equal(sheet[26:30, 8:12], train[found.typical[1].train, 0])
