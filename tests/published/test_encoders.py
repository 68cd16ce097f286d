"""The published encoders: what they draw, keep, recycle and refuse."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published import encoders
from gaussiandiffusion.published.drawing import draw
from gaussiandiffusion.published.encoders import PUBLISHED, fit_published
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas

SMALL = {
    "followup-mnist": replace(PUBLISHED["followup-mnist"], num_splats=25),
    "followup-cifar10": replace(PUBLISHED["followup-cifar10"], num_splats=25),
    "paper": replace(PUBLISHED["paper"], num_splats=25),
}


def psnr(pictures, images):
    target = torch.from_numpy(images).double() / 255
    return -10 * (pictures - target).square().mean((1, 2, 3)).log10()


@pytest.fixture(scope="module")
def few(strokes):
    return strokes[:3]


@pytest.mark.parametrize("name", SMALL)
def test_fits_approach_the_images_and_say_how_near(few, name):
    seen = []
    fit = fit_published(few, SMALL[name], iterations=60, callback=lambda step, p: seen.append((step, p)) and None)
    assert [step for step, _ in seen] == list(range(61))
    assert (seen[-1][1] > seen[0][1] + 2).all()
    np.testing.assert_allclose(fit.psnr.numpy(), psnr(fit.pictures, few).numpy(), atol=1e-3)
    np.testing.assert_allclose(fit.psnr.numpy(), seen[-1][1], atol=1e-3)
    assert fit.iterations.tolist() == [60] * 3
    assert (fit.splats is None) == (name == "followup-mnist")
    if fit.splats is not None:
        torch.testing.assert_close(render(fit.splats.validate(), backend="reference"), fit.pictures, rtol=0, atol=2e-5)


def test_colour_images_and_the_settings_own_renderer(few):
    colour = np.concatenate([few, few[:, :, ::-1], few.transpose(0, 1, 3, 2)], 1)
    settings = SMALL["followup-cifar10"]
    fit = fit_published(colour, settings, iterations=5)
    assert fit.sets.shape == (3, 25, 9)
    again = draw(fit.sets, Canvas(16, 16, 3), kernel_size=32, output="soft")
    torch.testing.assert_close(fit.pictures, again)


@pytest.mark.parametrize("name", SMALL)
def test_an_image_number_and_seed_decide_its_set(few, name):
    settings = replace(SMALL[name], recycle_every=4)
    together = fit_published(few, settings, seed=3, iterations=8)
    alone = fit_published(few[1:2], settings, seed=3, iterations=8, first=1)
    torch.testing.assert_close(alone.sets[0], together.sets[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fit_published(few, settings, seed=3, iterations=8).sets, together.sets, rtol=0, atol=0)
    other = fit_published(few, settings, seed=4, iterations=8)
    assert float((other.sets - together.sets).abs().max()) > 0.1


def test_an_image_near_enough_is_left_alone(few):
    easy = np.zeros_like(few)  # black, but for the start's colours
    settings = replace(SMALL["followup-cifar10"], stop_error=2e-3)
    images = np.concatenate([easy[:1], few[:1]])
    fit = fit_published(images, settings, iterations=40)
    assert int(fit.iterations[0]) < 40
    assert float(fit.psnr[0]) > 10 * np.log10(1 / 2e-3)
    longer = fit_published(images[:1], settings, iterations=80)  # what happens later does not touch it
    torch.testing.assert_close(longer.sets[0], fit.sets[0], rtol=1e-4, atol=1e-5)


def test_the_best_set_is_kept(few):
    wild = replace(SMALL["followup-cifar10"], learning_rate=1.5)
    best = []
    fit = fit_published(few, wild, iterations=25, callback=lambda step, p: best.append(p) and None)
    assert (np.diff(np.stack(best), axis=0) >= 0).all()
    np.testing.assert_allclose(fit.psnr.numpy(), best[-1], atol=1e-3)


def test_a_callback_can_end_the_fit(few):
    fit = fit_published(few, SMALL["followup-mnist"], callback=lambda step, _: step == 2)
    assert fit.iterations.tolist() == [2, 2, 2]


def test_splats_on_dark_pixels_are_put_where_light_is_missing(few):
    settings = replace(SMALL["followup-mnist"], learning_rate=0.2, cycles=0)  # fast enough to stray
    reborn = torch.tensor(encoders.REBORN_ALPHA).sigmoid()
    strayed = fit_published(few, replace(settings, recycle_every=0), iterations=30)
    recycled = fit_published(few, replace(settings, recycle_every=10), iterations=30)
    assert not bool(torch.isclose(strayed.sets[..., 3], reborn).any())
    assert bool(torch.isclose(recycled.sets[..., 3], reborn).any())  # nothing else ever moves alpha


def test_the_papers_start_holds_the_images_light(few):
    fit = fit_published(few, SMALL["paper"], iterations=0)
    light = torch.from_numpy(few).float().sum((1, 2, 3)) / 255
    total = (fit.sets[..., 3] * fit.sets[..., 4]).sum(1)  # every kernel sums to 1
    torch.testing.assert_close(total, light, rtol=1e-4, atol=0)


def test_the_rate_falls_and_starts_again_as_pytorchs():
    settings = replace(PUBLISHED["followup-mnist"], iterations=31)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, eta_min=1e-5)
    for step in range(31):
        assert encoders._rate(settings, step) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert encoders._rate(PUBLISHED["followup-cifar10"], 2000) == 4e-2


def test_black_white_and_tiny_images_are_fitted():
    for value in (0, 255):
        image = np.full((1, 1, 2, 3), value, np.uint8)
        for settings in SMALL.values():
            fit = fit_published(image, replace(settings, recycle_every=2), iterations=5)
            assert bool(torch.isfinite(fit.sets).all())


def test_other_images_are_refused(few, unchecked):
    for wrong, words in [
        (few.astype(np.float32), "must be uint8"),
        (few[0], "must be uint8 of shape"),
        (few[:, :, :1], "at least 2x2 pixels, not 1x16"),
        (few[:0], "no images"),
    ]:
        with pytest.raises(InputError, match=words):
            fit_published(wrong, SMALL["paper"], iterations=1)


def test_impossible_settings_are_refused():
    for wrong in ({"num_splats": 0}, {"iterations": -1}):
        with pytest.raises(InputError, match="at least 1 splat and 0 iterations"):
            replace(PUBLISHED["paper"], **wrong)
    with pytest.raises(InputError, match="kernel size must be at least 2, not 1"):
        replace(PUBLISHED["paper"], kernel_size=1)
