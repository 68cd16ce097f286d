"""Every number of splats on every shape of picture: proportionate in memory and time, and as good as K allows."""

import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
import torch

from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template, make_encoder
from gaussiandiffusion.encoding.parameters import MARGIN, MAX_SHEAR, MAX_SIGMA, MAX_SLOPE, MIN_SIGMA
from gaussiandiffusion.encoding.shares import COARSE, coarseness, pixels_each, share_sides
from gaussiandiffusion.encoding.starts import hilbert_walk
from gaussiandiffusion.ground.images import premultiplied
from gaussiandiffusion.rendering.render import accumulate

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 5), (28, 28), (37, 41), (1, 400), (301, 3), (2, 9000), (9000, 1), (150, 130)]
COUNTS = [1, 7, 70, 500, 1000, 4000]
ALIKE = 3.0  # dB that more splats may lose by chance
GOOD = 40.0  # dB from which more splats need not be better: the rest is a matter of iterations


def picture(channels, height, width):
    """Waves of 6 to 200 pixels, the longer the higher, uint8 (1, C, H, W): alike on every shape."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    total = np.zeros((height, width))
    for length in np.geomspace(6, 200, 24):
        angle, phase = random.uniform(0, np.pi), random.uniform(0, 2 * np.pi)
        turned = x * np.cos(angle) + y * np.sin(angle)
        total += np.sqrt(length) * np.sin(2 * np.pi / length * turned + phase)
    planes = [120 + total * (1.2 - 0.3 * c) for c in range(channels)]
    return np.stack(planes).clip(0, 255).astype(np.uint8)[None]


def flat(image):
    """PSNR of the best picture of one colour."""
    values = image.reshape(image.shape[1], -1) / 255
    return -10 * np.log10(np.square(values - values.mean(1, keepdims=True)).mean() + 1e-10)


def lies_sensibly(splats):
    """Finite and in range; on the canvas, not beyond what the fit allows, and no brighter than a picture needs."""
    splats.validate()
    canvas = splats.canvas
    pixels = canvas.pixels_per_unit
    half = torch.tensor([canvas.width - 1, canvas.height - 1]) / 2
    assert bool(((splats.means * pixels).abs() <= half + MARGIN + 1e-2).all())
    a, b, d = (splats.precision_factors / pixels).unbind(-1)
    most = MAX_SIGMA * canvas.longer_side * 1.01
    for conditional in (1 / a, 1 / d):
        assert float(conditional.min()) > MIN_SIGMA * 0.99
        assert float(conditional.max()) < max(most, MIN_SIGMA * 1.01)
    assert bool((b.abs() <= torch.minimum(torch.tensor(MAX_SHEAR), MAX_SLOPE * d) * 1.01).all())
    assert 0 <= float(splats.colors.min()) <= float(splats.colors.max()) < 10


@pytest.mark.parametrize("start", ["hilbert", "grid", "random"])
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_more_splats_are_better_on_every_shape(height, width, start):
    channels = 3 if start == "hilbert" else 1
    image = picture(channels, height, width)
    best = 0.0
    for count in COUNTS:
        settings = default_settings(channels, num_splats=count, start=start, pixels=height * width)
        encoded = FitEncoder(settings).encode(image)
        lies_sensibly(encoded.splats)
        psnr = float(encoded.psnr[0])
        assert psnr > min(GOOD, best - ALIKE), (count, psnr, best)
        if count >= 7:
            bare = 6.0 if start == "random" else 0.5  # a few random places leave parts of a picture bare
            assert psnr > min(GOOD, flat(image) - bare), (count, psnr)
        if count >= height * width:
            assert psnr > GOOD, (count, psnr)
        best = max(best, psnr)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width", "count"), [(1, 300, 40), (300, 1, 40), (2, 2, 50), (140, 3, 1000)])
def test_what_is_claimed_of_narrow_pictures_is_what_is_drawn(height, width, count, channels):
    image = picture(channels, height, width)
    encoded = make_encoder(channels, num_splats=count, pixels=height * width).encode(image)
    for backend in ("reference", "cpu"):
        drawn = accumulate(encoded.splats, backend=backend).clamp(0, 1).double().numpy()
        psnr = -10 * np.log10(np.square(drawn - premultiplied(image) / 255).mean() + 1e-10)
        assert min(psnr, 70) == pytest.approx(min(float(encoded.psnr[0]), 70), abs=0.05)


def test_a_picture_on_its_side_is_encoded_as_well():
    """Reading a narrow picture down instead of across changes nothing but the noise of the fit."""
    image = picture(1, 2, 3000)
    for start in ("hilbert", "grid", "random"):
        encoder = make_encoder(1, num_splats=300, start=start, pixels=6000)
        both = [float(encoder.encode(way).psnr[0]) for way in (image, np.ascontiguousarray(image.swapaxes(2, 3)))]
        assert abs(both[0] - both[1]) < 3, (start, both)


@pytest.mark.parametrize(("height", "width"), [(1, 200), (90, 2)])
def test_templates_of_narrow_pictures(height, width):
    images = np.concatenate([np.roll(picture(1, height, width), shift, (2, 3)) for shift in range(6)])
    settings = default_settings(1, num_splats=30, start="template", iterations=60)
    template = learn_template(images, settings, rounds=4)
    lies_sensibly(template)
    encoded = FitEncoder(settings, template).encode(images)
    lies_sensibly(encoded.splats)
    assert float(encoded.psnr.min()) > flat(images[:1]) + 3


@pytest.mark.parametrize(("height", "width"), [(1, 60_000), (60_000, 1), (2, 30_000), (240, 250)])
def test_a_walk_takes_memory_by_its_pixels(height, width):
    tracemalloc.start()
    walk = hilbert_walk.__wrapped__(height, width)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert walk.shape == (height * width, 2)
    assert peak < 100 * height * width


def test_time_goes_by_pixels_and_not_by_the_longer_side():
    encoder = make_encoder(1, num_splats=70)
    seconds = []
    for height, width in ((1, 300), (95, 95), (1, 9000)):
        encoder.encode(picture(1, height, width), threads=1)  # compiles; and finds the walk
        hilbert_walk.cache_clear()
        started = time.process_time()
        encoder.encode(picture(1, height, width), threads=1)
        seconds.append(time.process_time() - started)
    assert seconds[2] < 20 * max(seconds[1], 0.02)


def test_memory_goes_by_pixels_and_splats():
    """All in one process, on top of what small pictures took; the square of 9000 pixels has 80 million."""
    script = """
import resource
import numpy as np
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.rendering import render

def run(height, width, count):
    image = np.arange(height * width, dtype=np.uint8).reshape(1, 1, height, width)
    splats = make_encoder(1, num_splats=count, iterations=2, pixels=image.size).encode(image, threads=1).splats
    for backend in ("reference", "cpu"):
        render(splats, cutoff=3.5, backend=backend)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def all(*sizes):
    return max(run(*size) for size in sizes)

run(1, 129, 1)
before = all((95, 95, 70), (95, 95, 5000))
print(all((1, 9000, 70), (9000, 1, 70), (2, 4500, 70), (1, 9000, 5000)) - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert float(done.stdout.splitlines()[-1]) < 200  # MiB; a byte for each of those 80 million is 76, a float 305


def test_shares_are_squares_until_the_canvas_is_narrower():
    areas = np.array([1.0, 9.0, 36.0, 300.0])
    width, height = share_sides(areas, 3, 100)
    np.testing.assert_allclose(width, [1, 3, 12, 100])
    np.testing.assert_allclose(height, [1, 3, 3, 3])
    np.testing.assert_allclose(share_sides(areas, 100, 3), [height, width])
    assert coarseness(150, 32, 32) == (1, 1)
    assert coarseness(10, 1, 9000) == (900 / COARSE, 1)
    assert coarseness(1, 90, 90) == (90 / COARSE, 90 / COARSE)
    assert (pixels_each(100, 10, 10), pixels_each(50, 5, 5)) == (1, 0.5)
