"""The compiled fits against the plain PyTorch one, and encoding where numba is missing."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gaussiandiffusion.encoding import FitEncoder, default_settings, fit_reference, make_encoder
from gaussiandiffusion.encoding.fit import fit_range
from gaussiandiffusion.encoding.large import fit_large
from gaussiandiffusion.encoding.parameters import schedule, to_parameters
from gaussiandiffusion.encoding.starts import start_parameters
from gaussiandiffusion.rendering.cpu.threads import worker_pool
from gaussiandiffusion.splats import Canvas


def blobs(channels, height=20, width=27, count=3):
    """Smooth pictures with black and white parts."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width]
    waves = [
        np.sin(x * a + y * b + c) for a, b, c in random.uniform(0.1, 0.7, (count * channels, 3))
    ]  # a bounded sum of nothing but waves, cut at both ends
    pixels = np.stack(waves).reshape(count, channels, height, width) * 180 + 128
    return pixels.clip(0, 255).astype(np.uint8)


def fitted(how, images, settings):
    """Parameters and errors by one of the three fits."""
    canvas = Canvas(*images.shape[2:], images.shape[1])
    plan = schedule(settings, canvas)
    parameters = start_parameters(images, settings)
    errors = np.empty(len(images))
    with worker_pool(2) as pool:
        if how == "large":
            for i, image in enumerate(images):
                errors[i] = fit_large(image, parameters[i], plan, pool)
        else:
            run = fit_range if how == "compiled" else fit_reference.fit_range
            pool.submit(run, images, parameters, plan, errors).result()
    return parameters, errors


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("extra", [{}, {"pull": 0.05, "tolerance": 3.0, "epsilon": 1e-2, "signed": True}])
@pytest.mark.parametrize("how", ["compiled", "large"])
def test_a_few_steps_agree_with_the_reference(channels, extra, how):
    """Wide footprints, so that what is cut is below rounding; nearly sign-like steps double differences each step."""
    images = blobs(channels)
    settings = replace(default_settings(channels, num_splats=15, iterations=4, cutoff=8.0), **extra)
    expected, expected_errors = fitted("reference", images, settings)
    got, errors = fitted(how, images, settings)
    assert not np.allclose(got, start_parameters(images, settings), atol=1e-2)
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(errors, expected_errors, rtol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_whole_fits_are_as_good_as_the_references(channels):
    images = blobs(channels)
    settings = default_settings(channels, num_splats=40, iterations=40)
    psnr = {how: -10 * np.log10(fitted(how, images, settings)[1]) for how in ("reference", "compiled", "large")}
    assert min(psnr["reference"]) > 25
    # Paths part after some steps; where they end differs by this much from image to image, without a trend.
    assert psnr["compiled"] == pytest.approx(psnr["reference"], abs=1.5)
    assert psnr["large"] == pytest.approx(psnr["compiled"], abs=1.5)


def test_tiles_add_up_to_the_whole(monkeypatch):
    """A picture of several tiles, by tiles and as one window: the same first gradients, hence the same first step."""
    from gaussiandiffusion.encoding import large
    from gaussiandiffusion.rendering.cpu import tiles

    images = blobs(3, 150, 201, 1)
    settings = default_settings(3, num_splats=300, iterations=2, cutoff=8.0)
    by_tiles, _ = fitted("large", images, settings)
    assert len(tiles.tile_grid(150, 201)) == 12
    monkeypatch.setattr(large, "tile_grid", lambda height, width: np.array([(0, 0, height, width)]))
    whole, _ = fitted("large", images, settings)
    np.testing.assert_allclose(by_tiles, whole, rtol=2e-3, atol=2e-3)


def test_large_pictures_are_encoded_alike_whatever_the_threads():
    images = blobs(1, 140, 260, 2)
    encoder = make_encoder(1, num_splats=1500, iterations=20)
    one, three = encoder.encode(images, threads=1), encoder.encode(images, threads=3)
    assert torch.equal(one.splats.means, three.splats.means)
    assert torch.equal(one.psnr, three.psnr)
    assert float(one.psnr.min()) > 20


def test_an_image_that_has_reached_its_target_rests_in_the_reference_too():
    images = np.concatenate([blobs(1)[:1], np.full((1, 1, 20, 27), 7, np.uint8)])
    encoder = FitEncoder(default_settings(1, num_splats=30, iterations=30))
    by_kernel = encoder.encode(images, target_psnr=30.0)
    by_reference = encoder.encode(images, target_psnr=30.0, device=torch.device("cpu"))
    assert torch.equal(by_kernel.psnr, by_reference.psnr)
    start = start_parameters(images, encoder.settings)
    plan = schedule(encoder.settings, Canvas(20, 27), 20.0)  # the dark image starts above it
    parameters, errors = start.copy(), np.empty(2)
    fit_reference.fit_range(images, parameters, plan, errors)
    assert (parameters[1] == start[1]).all()
    assert (parameters[0] != start[0]).any()
    assert to_parameters(by_kernel.splats).shape == parameters.shape


def test_without_numba_one_warning_and_the_reference():
    program = """
import sys, warnings
sys.modules["numba"] = None
import numpy as np, gaussiandiffusion as gd
images = (np.add.outer(np.arange(16), np.arange(16)) * 8).astype(np.uint8)[None, None]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    splats = gd.encode(images, num_splats=12, iterations=30)
    gd.encode(images, num_splats=12, iterations=1)
    gd.render(splats[[0] * 64], size=1024)  # large enough for the kernel, were there one
error = abs(gd.render(splats)[0, 0].numpy() * 255 - images[0, 0]).mean()
print(sum("numba is not installed" in str(w.message) for w in caught), error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    warned, error = done.stdout.split()
    assert warned == "1"
    assert float(error) < 6
