"""The encoder: deterministic, good, and clear about what it cannot take."""

import numpy as np
import pytest
import torch
from PIL import Image

import gaussiandiffusion as gd
from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template, make_encoder
from gaussiandiffusion.encoding.parameters import to_parameters, to_splats
from gaussiandiffusion.encoding.starts import grid_centres, hilbert_walk, start_parameters
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.tensors().values(), b.tensors().values(), strict=True))


@pytest.fixture(scope="module")
def template(strokes):
    settings = default_settings(1, num_splats=12, start="template", iterations=40)
    return settings, learn_template(strokes, settings, rounds=8)


@pytest.mark.parametrize("start", ["hilbert", "grid", "template"])
def test_a_set_depends_on_its_image_alone(strokes, template, start):
    encoder = (
        FitEncoder(*template) if start == "template" else make_encoder(1, num_splats=12, start=start, iterations=20)
    )
    images = np.tile(strokes, (3, 1, 1, 1))  # more than a block
    together = encoder.encode(images, threads=2)
    assert equal(together.splats, encoder.encode(images, threads=1).splats)
    assert equal(encoder.encode(images[70:71]).splats, together.splats[70])
    assert equal(together.splats[5], together.splats[5 + len(strokes)])


def test_the_reported_psnr_is_that_of_the_rendered_picture(strokes):
    encoded = make_encoder(1, num_splats=12).encode(strokes)
    error = (render(encoded.splats, backend="reference") - torch.from_numpy(strokes) / 255).square().mean((1, 2, 3))
    torch.testing.assert_close(encoded.psnr, -10 * error.log10(), atol=0.01, rtol=0)


def test_more_splats_and_more_steps_are_better(strokes):
    def psnr(**kwargs):
        return float(make_encoder(1, **kwargs).encode(strokes).psnr.mean())

    assert psnr(num_splats=6) + 2 < psnr(num_splats=12) < psnr(num_splats=24) - 2
    assert psnr(num_splats=24, iterations=10) + 2 < psnr(num_splats=24, iterations=100)
    assert psnr(num_splats=70) > 40


def test_colours_are_non_negative_unless_signed(strokes):
    plain = make_encoder(1, num_splats=12).encode(strokes)
    signed = make_encoder(1, num_splats=12, signed=True).encode(strokes)
    assert float(plain.splats.colors.min()) >= 0 > float(signed.splats.colors.min())
    plain.splats.validate()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_canvas_and_channels(channels):
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (2, channels, 3, 6)).astype(np.uint8)
    images = coarse.repeat(7, 2).repeat(5, 3)  # 21 x 30
    encoded = make_encoder(channels, num_splats=90).encode(images)
    assert encoded.splats.colors.shape == (2, 90, channels)
    assert float(encoded.psnr.min()) > 20


def test_flat_pictures_and_single_splats_are_encoded():
    for value in (0, 128, 255):
        images = np.full((1, 1, 9, 9), value, np.uint8)
        for start in ("hilbert", "grid"):
            encoded = make_encoder(1, num_splats=3, start=start).encode(images)
            encoded.splats.validate()
            assert bool(torch.isfinite(encoded.psnr).all())
    assert make_encoder(1, num_splats=1).encode(images).splats.num_splats == 1


def test_target_psnr_stops_early_and_tries_longer(strokes):
    encoder = make_encoder(1, num_splats=24, iterations=20)
    plain = encoder.encode(strokes)
    reached = encoder.encode(strokes, target_psnr=44.0)
    assert float(plain.psnr.min()) < 44.0 <= float(reached.psnr.min())
    # Images stop near the target instead of running on.
    assert float(reached.psnr.mean()) < float(
        make_encoder(1, num_splats=24, iterations=200).encode(strokes).psnr.mean()
    )


def test_the_hilbert_walk_visits_every_pixel_once_stepping_to_neighbours():
    walk = hilbert_walk(16, 16)
    assert len({tuple(p) for p in walk.tolist()}) == 256
    assert (np.abs(np.diff(walk, axis=0)).sum(1) == 1).all()
    assert len({tuple(p) for p in hilbert_walk(5, 11).tolist()}) == 55


def test_hilbert_parts_hold_equal_mass():
    """On a flat picture equal mass is equal area: the parts' centroids average to the picture's centre."""
    parameters = start_parameters(np.full((1, 1, 8, 8), 100, np.uint8), default_settings(1, num_splats=16))
    assert parameters[0, :, :2].mean(0) == pytest.approx([3.5, 3.5], abs=1e-3)
    assert len(np.unique(parameters[0, :, :2].round(3), axis=0)) == 16


@pytest.mark.parametrize("count", [1, 7, 48, 70])
def test_grids_have_the_asked_number_of_splats_inside(count):
    centres = grid_centres(count, 20, 31)
    assert centres.shape == (count, 2)
    assert (centres > -0.5).all()
    assert (centres < [30.5, 19.5]).all()


def test_a_learned_template_beats_the_grid_it_began_with_and_is_reproducible(strokes, template):
    settings, learned = template
    assert equal(learn_template(strokes, settings, rounds=8), learned)
    grid = learn_template(strokes, settings, rounds=0)
    assert float(FitEncoder(settings, learned).encode(strokes).psnr.mean()) > float(
        FitEncoder(settings, grid).encode(strokes).psnr.mean()
    )


def test_unlit_splats_are_found_where_the_template_has_them(strokes, template):
    settings, learned = template
    splats = FitEncoder(settings, learned).encode(strokes).splats
    unlit = (splats.colors == 0).all(-1)
    assert 0 < int(unlit.sum()) < unlit.numel()
    home = learned.means.expand_as(splats.means)
    torch.testing.assert_close(splats.means[unlit], home[unlit], rtol=0, atol=1e-6)
    assert not torch.allclose(splats.means[~unlit], home[~unlit], atol=1e-2)


def test_templates_that_do_not_fit_are_refused(strokes, template, tmp_path):
    settings, learned = template
    with pytest.raises(InputError, match="one of 13 is needed"):
        FitEncoder(default_settings(1, num_splats=13, start="template"), learned)
    with pytest.raises(InputError, match="a template is needed"):
        FitEncoder(settings)
    with pytest.raises(InputError, match="the template was learned for"):
        FitEncoder(settings, learned).encode(np.zeros((1, 1, 9, 9), np.uint8))
    make_encoder(1, num_splats=3).encode(strokes[:2]).splats.save(tmp_path / "two.safetensors")
    with pytest.raises(InputError, match="a template holds one set, this file 2"):
        make_encoder(1, start=f"template:{tmp_path / 'two.safetensors'}")
    with pytest.raises(InputError, match="needs its file"):
        make_encoder(1, start="template")


def test_parameters_and_splats_are_the_same_thing(make_splats):
    splats = make_splats()
    back = to_splats(to_parameters(splats), splats.canvas)
    for name, value in back.tensors().items():
        torch.testing.assert_close(value, splats.tensors()[name], rtol=1e-4, atol=1e-5)


def test_images_come_in_every_form(strokes, tmp_path):
    expected = gd.encode(strokes[:2], num_splats=6)
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, image in zip(paths, strokes[:2, 0], strict=True):
        Image.fromarray(image).save(path)
    forms = [
        torch.from_numpy(strokes[:2]) / 255,
        strokes[:2].astype(np.float64) / 255,
        paths,
        [str(path) for path in paths],
        [Image.open(path) for path in paths],
        tmp_path,
    ]
    for form in forms:
        assert equal(gd.encode(form, num_splats=6), expected)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (torch.zeros(4, 4), r"must have shape \(N, C, H, W\)"),
        (np.full((1, 1, 4, 4), 2.0), r"lie in \[0, 1\]"),
        (np.full((1, 1, 4, 4), np.nan), "finite"),
        ([], "no images given"),
        ([np.zeros((1, 1, 4, 4), np.uint8), np.zeros((1, 1, 5, 4), np.uint8)], "different sizes"),
        ("no/such/file.png", "file.png"),
    ],
)
def test_bad_images_are_refused(images, complaint):
    with pytest.raises(InputError, match=complaint):
        gd.encode(images)


def test_bad_settings_are_refused(strokes):
    for kwargs, complaint in [
        ({"num_splats": 0}, "number of splats"),
        ({"num_splats": 10**7}, "number of splats"),
        ({"start": "dice"}, "unknown start 'dice'; choose hilbert, grid, random or template:FILE"),
        ({"iterations": -1}, "iterations must lie between 0 and 100000"),
    ]:
        with pytest.raises(InputError, match=complaint):
            gd.encode(strokes, **kwargs)
