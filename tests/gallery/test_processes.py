"""Processes as functions of time: where they begin, where they end, and what lies between."""

from pathlib import Path as Folder

import numpy as np
import pytest
import torch
from walkers import walker

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.gallery import films
from gaussiandiffusion.gallery.convergence import Convergence
from gaussiandiffusion.gallery.film import Film, check_room, opaque
from gaussiandiffusion.gallery.processes import Noising, Path, cross_fade, interpolation, trajectory
from gaussiandiffusion.gallery.terminal import Distribution, densities, normal
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import noise_for
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.splats import Canvas

SAVED = Folder(__file__).parents[1] / "fixtures" / "saved"
MODELS = ["hilbert-euler", "patches-unipc", "published-ddim", "template-few-step", "unet-dpm", "v-ddpm"]


@pytest.fixture(scope="module")
def character():
    return walker()


@pytest.mark.parametrize("name", MODELS)
def test_the_way_of_a_sample_begins_at_its_noise_and_ends_at_the_sample(name):
    pipeline = GaussianDiffusion.from_pretrained(SAVED / name)
    way = trajectory(pipeline, 3, seed=1)
    out = pipeline(3, seed=1, return_trajectory=True)
    draw = pipeline.representation.draw
    torch.testing.assert_close(draw(way.shown(way.noisy)(0.0)), out.images, atol=1e-5, rtol=0)
    torch.testing.assert_close(draw(way.shown(way.clean)(0.0)), out.images, atol=1e-5, rtol=0)
    torch.testing.assert_close(draw(way.shown(way.noisy)(1.0)), draw(out.trajectory[0]), atol=1e-5, rtol=0)
    assert torch.equal(way.data, way.noisy.at(0.0))
    assert list(way.noisy.times) == sorted(set(way.noisy.times))
    assert len(way.clean.times) == len(way.noisy.times)  # an estimate at each level, and the end


@pytest.mark.parametrize("name", MODELS)
def test_noise_is_added_as_the_model_was_trained(name):
    pipeline = GaussianDiffusion.from_pretrained(SAVED / name)
    clean = torch.full((2, *pipeline.representation.latent_shape), 0.5)
    noising = Noising.of(clean, pipeline.scheduler, seed=3)
    assert torch.equal(noising.at(0.0), clean)
    noise = noise_for(3, 0, 2, clean.shape[1:])
    torch.testing.assert_close(noising.at(1.0), noise, atol=0.06, rtol=0)  # tables end near noise
    signal = [float(((noising.at(t) - 0) * noise).mean() / (noise * noise).mean()) for t in (0.2, 0.5, 0.8)]
    assert signal == sorted(signal)


def test_more_samples_than_a_chunk_follow_each_other(character):
    way, first = trajectory(character, 11, seed=2), trajectory(character, 8, seed=2)
    assert len(way.data) == 11
    assert torch.equal(way.data[:8], first.data)
    torch.testing.assert_close(way.noisy.at(0.9)[:8], first.noisy.at(0.9))


def test_between_times_a_path_is_straight_and_beyond_them_still():
    path = Path([0.2, 0.4, 1.0], [torch.tensor([value]) for value in (0.0, 1.0, 4.0)])
    assert [float(path.at(time)) for time in (0.0, 0.2, 0.3, 0.4, 0.7, 1.0)] == pytest.approx([0, 0, 0.5, 1, 2.5, 4])


def test_sets_go_from_the_first_half_to_the_second_and_pixels_fade(character):
    latent = trajectory(character, 4).data
    sets = character.representation.from_latent(latent)
    at = interpolation(character.representation, latent)
    for time, expected in ((0.0, sets[:2]), (1.0, sets[2:])):
        torch.testing.assert_close(at(time).means, expected.means)
        torch.testing.assert_close(at(time).sigmas, expected.sigmas, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(at(0.25).means, torch.lerp(sets.means[:2], sets.means[2:], 0.25))
    images = np.array([0, 100], np.uint8).reshape(2, 1, 1, 1)
    fading, _ = cross_fade(images)
    assert float(fading(0.25)) == pytest.approx(25 / 255)
    pixels = walker(pixels=True)
    latent = trajectory(pixels, 2).data
    with pytest.raises(InputError, match="pixels has nothing between"):
        interpolation(pixels.representation, latent)


def test_fits_come_nearer_to_their_picture():
    y, x = np.mgrid[:20, :20]
    images = (255 * np.exp(-((x - 9) ** 2 + (y - 7) ** 2) / 20)).astype(np.uint8)[None, None]
    encoder = make_encoder(1, num_splats=8, iterations=30)
    fits = Convergence(images, encoder)
    psnr = [float(fits.fit(time).psnr) for time in (0.0, 0.4, 1.0)]
    assert psnr == sorted(psnr)
    assert fits.iterations(0.5) == 8
    torch.testing.assert_close(fits.at(1.0).means, encoder.encode(images).splats.means)
    assert fits.caption(0.0).startswith("0 steps, ")


def test_histograms_of_noise_meet_the_normal_law_and_those_of_data_need_not():
    values = noise_for(0, 0, 1, (200_000,)).numpy().ravel()
    centres = np.linspace(-4, 4, 129)[1::2]
    assert np.abs(densities(values) - normal(centres)).max() < 0.02
    assert densities(np.zeros(5)).max() == pytest.approx(8)
    chart = Distribution(lambda time: torch.zeros(2, 3, 8), {"means": slice(2), "colours": slice(5, None)})
    assert chart.sheet(0.0, None).size == chart.sheet(1.0, 1).size


@pytest.mark.parametrize("name", ["hilbert-euler", "unet-dpm"])
def test_all_films_of_a_model_have_frames_of_one_size(name):
    pipeline = GaussianDiffusion.from_pretrained(SAVED / name)
    look = films.Look(12, ellipses=pipeline.representation.kind == "splats", pixels=True)
    way = trajectory(pipeline, 3)
    made = [
        films.forward(pipeline, way.data, look, 0),
        films.terminal(pipeline, way.data, 2, look, 0),
        films.reverse(way, look, "both"),
        films.reverse(way, look, "clean", way),
    ]
    for film in made:
        frames = [film.frame(time) for time in (0.0, 0.37, 1.0)]
        assert len({(frame.size, frame.mode) for frame in frames}) == 1
        strip = film.strip([0.0, 1.0])
        assert strip.height > frames[0].height  # a row each


def test_a_strip_has_a_column_a_time_and_a_row_a_picture(character):
    film = films.reverse(trajectory(character, 3), films.Look(40))
    assert film.strip([1.0, 0.5, 0.0]).size == (3 * 44, 18 + 3 * 42 + 2)
    assert film.frame(0.0).size == (2 * 42 + 2, 2 * 42 + 2)
    assert Film(film.panels, lambda time: "x" * int(99 * time)).frame(1.0).width == 140  # whatever is written


def test_transparent_pictures_lie_over_squares():
    clear = torch.zeros(1, 4, 16, 16).byte()
    shown = opaque(clear)
    assert shown.shape == (1, 3, 16, 16)
    assert shown.unique().tolist() == [102, 153]
    assert opaque(shown) is shown


def test_frames_that_would_fill_memory_are_refused():
    check_room(Canvas(28, 28, 1), 256, 16, 25)
    with pytest.raises(InputError, match="25 frames of 16 pictures of 9000x9000 pixels are too much to hold"):
        check_room(Canvas(28, 28, 1), 9000, 16, 25)
