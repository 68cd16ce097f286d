"""Starts: the Hilbert walk, its parts of equal mass, and the grid."""

from dataclasses import replace

import numpy as np
import pytest

from gaussiandiffusion.encoding import FitEncoder, default_settings, make_encoder
from gaussiandiffusion.encoding.settings import STARTS, harder
from gaussiandiffusion.encoding.starts import grid_centres, hilbert_walk, random_centres, start_parameters


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
@pytest.mark.parametrize("name", [name for name in STARTS if name != "template"])
def test_starts_are_finite_inside_and_lit(name, kind, channels):
    images = pictures(kind, channels=channels)
    parameters = start_parameters(images, default_settings(channels, num_splats=13, start=name))
    assert parameters.shape == (2, 13, 5 + channels)
    assert np.isfinite(parameters).all()
    edge = 0.5 if name == "random" else 0.0  # random places lie anywhere inside a pixel, the others' on a centre's hull
    assert (parameters[..., :2] >= -edge).all()
    assert (parameters[..., :2] <= np.array([13, 10]) + edge).all()
    assert (parameters[..., 5:] > 0).all()  # an unlit splat's geometry would never get a gradient


def test_the_start_goes_where_the_picture_is():
    bright = start(pictures("dot"), 20, density_gradient=0.0, density_floor=1e-4, density_brightness=1.0)
    assert np.median(np.abs(bright[0, :, :2] - [5, 3]).max(-1)) < 1


def test_black_gets_fewer_splats_where_colour_pictures_stand_on_it():
    """A quarter of the canvas is noise, the rest black or, as good as black, of one grey level."""
    images = np.zeros((2, 3, 32, 32), np.uint8)
    images[1] = 1
    images[:, :, :16, :16] = np.random.default_rng(0).integers(1, 256, (3, 16, 16))
    settings = default_settings(3, num_splats=150)
    parameters = start_parameters(images, settings)
    inside = (parameters[..., :2] < 16).all(-1).sum(1)
    assert inside[0] > inside[1] + 20
    even = start_parameters(images, replace(settings, density_black=1.0))
    assert (even[0, :, :2] < 16).all(-1).sum() == inside[1]


@pytest.mark.parametrize("count", [1, 2, 7, 48, 70, 500])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (1, 40), (40, 1), (20, 31)])
def test_grids_cover_the_canvas_evenly(count, height, width):
    centres = grid_centres(count, height, width)
    assert centres.shape == (count, 2)
    assert (np.abs(centres - (np.array([width, height]) - 1) / 2) <= np.array([width, height]) / 2).all()
    # Row by row the points mirror themselves, so each row's centre is the canvas's.
    assert centres[:, 0].mean() == pytest.approx((width - 1) / 2, abs=1e-3)


def test_random_splats_fall_on_pixels_as_often_as_those_are_bright():
    image = np.zeros((1, 1, 2, 3), np.uint8)
    image[0, 0] = [[0, 50, 100], [100, 250, 0]]
    centres = random_centres(image, 20_000, 0.0, 1.0)[0]
    pixels = np.rint(centres).astype(int)
    share = np.bincount(pixels[:, 1] * 3 + pixels[:, 0], minlength=6) / 20_000
    # Four standard errors of a share of a half in 20,000 draws.
    np.testing.assert_allclose(share, image.ravel() / 500, atol=0.014)
    inside = centres - pixels
    assert np.abs(inside).max() <= 0.5
    np.testing.assert_allclose(inside.std(0), np.sqrt(1 / 12), atol=0.01)


def test_random_splats_spread_over_a_dark_image_evenly():
    settings = default_settings(1, num_splats=20_000, start="random")
    parameters = start_parameters(np.zeros((1, 1, 4, 4), np.uint8), settings)
    np.testing.assert_allclose(parameters[0, :, :2].mean(0), 1.5, atol=0.04)
    np.testing.assert_allclose(parameters[0, :, :2].std(0), 4 / np.sqrt(12), atol=0.03)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_random_start_depends_on_the_image_alone_and_on_each_of_its_grey_levels(channels):
    images = pictures("noise", channels=channels)
    settings = default_settings(channels, num_splats=30, start="random")
    together = start_parameters(images, settings)
    assert np.array_equal(start_parameters(images[::-1], settings), together[::-1])
    assert np.array_equal(start_parameters(images[1:], settings), together[1:])
    nearly = images.copy()
    nearly[0, 0, 0, 0] ^= 1
    moved = np.abs(start_parameters(nearly, settings) - together)[:, :, :2].mean((1, 2))
    assert moved[1] == 0
    assert moved[0] > 2  # pixels; two unrelated places on a canvas of 11 x 14 are some 4 apart along each axis


def test_random_sets_do_not_depend_on_batch_or_threads(strokes):
    encoder = make_encoder(1, num_splats=12, start="random", iterations=10)
    many = np.tile(strokes, (3, 1, 1, 1))  # more than one block
    together = encoder.encode(many, threads=2).splats.means
    assert together[:48].equal(together[48:96])
    assert encoder.encode(strokes[7:8], threads=1).splats.means.equal(together[7:8])


def test_images_that_miss_their_target_are_fitted_longer_from_other_random_starts(strokes):
    settings = default_settings(1, num_splats=8, start="random", iterations=2)
    tries = list(harder(settings, 1))
    assert {s.start for s in tries} == {"random"}
    assert min(s.iterations for s in tries) > settings.iterations
    encoder = FitEncoder(settings)
    plain, pressed = (encoder.encode(strokes[:6], target_psnr=target).psnr for target in (None, 30.0))
    assert bool((pressed >= plain.clamp_max(30.0)).all())
    assert float(pressed.mean()) > float(plain.mean())
