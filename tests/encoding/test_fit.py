"""The fit: what it promises for any image."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.encoding.parameters import MARGIN, MAX_SIGMA, MIN_SIGMA
from gaussiandiffusion.ground.images import premultiplied
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.render import accumulate
from gaussiandiffusion.splats import Canvas

STARTS = ["hilbert", "grid"]


def noise(channels, height=13, width=10, count=3, low=0, high=256):
    return np.random.default_rng(1).integers(low, high, (count, channels, height, width), dtype=np.uint8)


def psnr_of(splats, images):
    """Of premultiplied colours, where there is alpha."""
    picture = accumulate(splats.to(torch.float64), backend="reference").clamp(0, 1)
    error = (picture - torch.from_numpy(premultiplied(images)) / 255).square().mean((1, 2, 3))
    return -10 * error.clamp_min(1e-10).log10()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("start", STARTS)
def test_the_psnr_is_that_of_the_picture_drawn_without_a_cut(channels, signed, start):
    images = noise(channels)
    encoded = make_encoder(channels, num_splats=60, start=start, signed=signed, iterations=60).encode(images)
    # Noise at some 20 dB is an error of 0.1; float32 pixels of 60 splats err by 1e-5 of it: 1e-3 dB.
    torch.testing.assert_close(encoded.psnr.double(), psnr_of(encoded.splats, images), rtol=0, atol=1e-3)


@pytest.mark.parametrize("start", STARTS)
def test_sets_keep_to_the_limits_of_the_fit(start):
    images = noise(1, 9, 31)
    splats = make_encoder(1, num_splats=25, start=start, iterations=80).encode(images).splats.validate()
    pixel = 1 / splats.canvas.pixels_per_unit
    # Limits hold in pixels, before float32 conversions.
    reach = torch.tensor([31 - 1 + 2 * MARGIN, 9 - 1 + 2 * MARGIN]) / 2 * pixel * 1.00001
    assert bool((splats.means.abs() <= reach).all())
    a, _, d = splats.precision_factors.unbind(-1)
    for factor in (a, d):
        assert float((1 / factor).min()) >= MIN_SIGMA * pixel * 0.999
        assert float((1 / factor).max()) <= MAX_SIGMA * 31 * pixel * 1.001
    assert float(splats.colors.min()) >= 0


@pytest.mark.parametrize("start", STARTS)
def test_the_order_of_images_is_the_order_of_sets(start):
    images = noise(3, count=9)
    order = np.random.default_rng(0).permutation(9)
    encoder = make_encoder(3, num_splats=20, start=start, iterations=15)
    plain, permuted = encoder.encode(images), encoder.encode(images[order])
    assert torch.equal(permuted.splats.means, plain.splats.means[torch.from_numpy(order)])
    assert torch.equal(permuted.psnr, plain.psnr[torch.from_numpy(order)])


@pytest.mark.parametrize("target", [None, 24.0])
def test_blocks_threads_and_batches_change_no_bit(monkeypatch, target):
    from gaussiandiffusion.encoding import encoder as module

    images = noise(1, count=11)
    encoder = make_encoder(1, num_splats=20, iterations=15)
    whole = encoder.encode(images, target_psnr=target, threads=1)
    monkeypatch.setattr(module, "BLOCK", 2)
    parts = encoder.encode(images, target_psnr=target, threads=3)
    for name, value in whole.splats.tensors().items():
        assert torch.equal(value, parts.splats.tensors()[name]), name
    assert torch.equal(whole.psnr, parts.psnr)


@pytest.mark.parametrize(("height", "width"), [(13, 10), (20, 140)])
def test_sets_are_the_same_when_room_for_gaussians_had_to_grow(monkeypatch, height, width):
    from gaussiandiffusion.rendering.cpu import footprints

    images = noise(3, height, width)
    encoder = make_encoder(3, num_splats=20, iterations=10)
    expected = encoder.encode(images)
    monkeypatch.setattr(footprints, "_USUAL", 1)  # vector for each splat
    found = encoder.encode(images)
    for name, value in expected.splats.tensors().items():
        assert torch.equal(value, found.splats.tensors()[name]), name
    assert torch.equal(found.psnr, expected.psnr)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (20, 140)])
def test_nothing_is_left_to_compile_for_what_was_prepared(height, width):
    from gaussiandiffusion.encoding import fit, large, prepare

    functions = [fit._fit_range] if height == width else [large._tile_gradients, large._step]
    thread = prepare(Canvas(height, width, 3))
    thread.join()
    before = [list(function.signatures) for function in functions]
    assert all(before)
    make_encoder(3, num_splats=20, iterations=2).encode(noise(3, height, width, count=1))
    assert [list(function.signatures) for function in functions] == before


def test_progress_counts_every_image_once(monkeypatch, strokes):
    from gaussiandiffusion.encoding import encoder as module

    monkeypatch.setattr(module, "BLOCK", 20)
    seen = []
    make_encoder(1, num_splats=3, iterations=2).encode(strokes, target_psnr=60.0, progress=seen.append)
    assert seen == [20, 20, 8]


def test_rendered_sets_are_encoded_to_sets_that_render_alike(make_splats):
    original = make_splats(n=4, k=5, height=16, width=16)
    images = (render(original) * 255).round().to(torch.uint8).numpy()
    encoded = make_encoder(1, num_splats=40, iterations=300).encode(images)
    assert float(encoded.psnr.min()) > 33


def test_strokes_reach_the_promised_quality_by_default(strokes):
    """Drawn strokes with anti-aliased edges, 3.6 pixels a splat: well above what an eye tells apart."""
    encoded = make_encoder(1).encode(strokes)
    assert encoded.splats.num_splats == 70
    assert float(encoded.psnr.mean()) > 40
    assert float(encoded.psnr.min()) > 33


def test_more_iterations_are_better(strokes):
    means = [
        float(make_encoder(1, num_splats=24, iterations=i).encode(strokes).psnr.mean()) for i in (0, 5, 20, 80, 320)
    ]
    assert means == sorted(means)


def test_a_reached_target_stops_at_once(strokes):
    """An image already right at its start takes no step: its set is the start itself, whatever the iterations."""
    black = np.zeros((1, 1, 8, 8), np.uint8)
    few, many = (make_encoder(1, num_splats=4, iterations=i).encode(black, target_psnr=5.0).splats for i in (1, 10_000))
    none = make_encoder(1, num_splats=4, iterations=0).encode(black).splats
    assert torch.equal(few.colors, none.colors)
    assert torch.equal(many.colors, none.colors)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 23), (23, 1), (2, 3), (1, 300)])
def test_the_smallest_and_thinnest_pictures_are_encoded(height, width, channels, start):
    """Down to one pixel, with more splats than pixels; (1, 300) goes by tiles."""
    images = noise(channels, height, width, count=2)
    encoded = make_encoder(channels, num_splats=60, start=start, iterations=250).encode(images)
    encoded.splats.validate()
    # Beyond 80 dB errors are those of float32 sums, which differ with their order.
    found, expected = (psnr.double().clamp_max(80) for psnr in (encoded.psnr, psnr_of(encoded.splats, images)))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-2)
    if height * width < 30:
        assert float(encoded.psnr.min()) > 45  # more splats than pixels


@pytest.mark.parametrize("target", [30.0, 60.0])
def test_every_image_reaches_a_target_within_reach(strokes, target):
    """What is stopped by is drawn with a cut, what is promised without: no image ends a hair below."""
    encoded = make_encoder(1, num_splats=70, iterations=40).encode(strokes, target_psnr=target)
    reached = psnr_of(encoded.splats, strokes)
    if target == 30.0:
        assert float(reached.min()) >= target - 1e-3
    missed = reached < target - 1e-3
    assert torch.equal(missed, encoded.psnr < target - 1e-3)
