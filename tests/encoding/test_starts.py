"""Starts: the Hilbert walk, its parts of equal mass, and the grid."""

from dataclasses import replace

import numpy as np
import pytest

from gaussiandiffusion.encoding import default_settings
from gaussiandiffusion.encoding.starts import grid_centres, hilbert_walk, start_parameters


def start(images, count, **weights):
    return start_parameters(images, replace(default_settings(1, num_splats=count), **weights))


def pictures(kind, height=11, width=14, channels=1):
    values = {
        "noise": np.random.default_rng(0).integers(0, 256, (2, channels, height, width)),
        "black": np.zeros((2, channels, height, width)),
        "white": np.full((2, channels, height, width), 255),
        "dot": np.zeros((2, channels, height, width)),
    }[kind]
    if kind == "dot":
        values[..., 3, 5] = 255
    return values.astype(np.uint8)


@pytest.mark.parametrize("side", [1, 2, 4, 32])
def test_on_powers_of_two_every_step_of_the_walk_is_to_a_neighbour(side):
    walk = hilbert_walk(side, side)
    assert sorted(map(tuple, walk.tolist())) == [(y, x) for y in range(side) for x in range(side)]
    assert (np.abs(np.diff(walk, axis=0)).sum(1) == 1).all()


@pytest.mark.parametrize(("height", "width"), [(1, 9), (9, 1), (5, 12), (12, 5), (28, 28), (33, 32)])
def test_on_any_canvas_the_walk_visits_every_pixel_once(height, width):
    walk = hilbert_walk(height, width)
    assert sorted(map(tuple, walk.tolist())) == [(y, x) for y in range(height) for x in range(width)]


@pytest.mark.parametrize("count", [1, 2, 7, 30, 200])  # 200: more parts than pixels
@pytest.mark.parametrize("kind", ["noise", "black", "white", "dot"])
def test_parts_of_equal_mass_have_their_centroids_average_to_the_pictures(kind, count):
    images = pictures(kind)
    floor, brightness = 0.02, 1.0
    parameters = start(images, count, density_gradient=0.0, density_floor=floor, density_brightness=brightness)
    density = floor + brightness * images[:, 0] / 255.0
    y, x = np.mgrid[: images.shape[2], : images.shape[3]]
    mass = density.sum((1, 2))
    expected = np.stack([(density * x).sum((1, 2)), (density * y).sum((1, 2))], -1) / mass[:, None]
    # Densities and parameters are float32, up to 14 pixels: some 1e-6 each.
    np.testing.assert_allclose(parameters[..., :2].mean(1), expected, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["noise", "black", "white", "dot"])
@pytest.mark.parametrize("name", ["hilbert", "grid"])
def test_starts_are_finite_inside_and_lit(name, kind, channels):
    images = pictures(kind, channels=channels)
    parameters = start_parameters(images, default_settings(channels, num_splats=13, start=name))
    assert parameters.shape == (2, 13, 5 + channels)
    assert np.isfinite(parameters).all()
    assert (parameters[..., :2] >= 0).all()
    assert (parameters[..., :2] <= [13, 10]).all()
    assert (parameters[..., 5:] > 0).all()  # an unlit splat's geometry would never get a gradient


def test_the_start_goes_where_the_picture_is():
    bright = start(pictures("dot"), 20, density_gradient=0.0, density_floor=1e-4, density_brightness=1.0)
    assert np.median(np.abs(bright[0, :, :2] - [5, 3]).max(-1)) < 1


@pytest.mark.parametrize("count", [1, 2, 7, 48, 70, 500])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (1, 40), (40, 1), (20, 31)])
def test_grids_cover_the_canvas_evenly(count, height, width):
    centres = grid_centres(count, height, width)
    assert centres.shape == (count, 2)
    assert (np.abs(centres - (np.array([width, height]) - 1) / 2) <= np.array([width, height]) / 2).all()
    # Row by row the points mirror themselves, so each row's centre is the canvas's.
    assert centres[:, 0].mean() == pytest.approx((width - 1) / 2, abs=1e-3)
