"""Splats allocated by error: as many as asked for, no worse than the start's, and the same whatever the threads."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding import EncoderSettings, FitEncoder, default_settings, encode, make_encoder
from gaussiandiffusion.encoding.allocate import Allocation, squares, worst_places
from gaussiandiffusion.encoding.dataset import encode_dataset
from gaussiandiffusion.encoding.importance import leaving_out
from gaussiandiffusion.encoding.parameters import to_parameters
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.render import accumulate
from gaussiandiffusion.splats import storage


def textured(height=140, width=160, channels=3):
    """Stripes, blobs and a smooth part, uint8 (1, C, H, W)."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / 16
    planes = [120 + 50 * np.sin(9 * x * (x > 4)) * np.cos(3 * y + c) + 40 * np.sin(x + c) for c in range(channels)]
    image = np.stack(planes)
    for _ in range(60):
        top, left, side = random.integers(0, height), random.integers(0, width // 2), random.integers(1, 6)
        image[:, top : top + side, left : left + side] += random.normal(0, 60, (channels, 1, 1))
    return image.clip(0, 255).astype(np.uint8)[None]


def fitted(image, num_splats=200, iterations=40, allocate="error", **kwargs):
    settings = default_settings(image.shape[1], num_splats=num_splats, iterations=iterations, allocate=allocate)
    return FitEncoder(settings).encode(image, **kwargs)


def test_photographs_are_allocated_by_error_and_nothing_else_is():
    pixels = 768 * 512
    assert default_settings(3, num_splats=10_000, pixels=pixels).allocate == "error"
    assert default_settings(1, num_splats=1_000, pixels=pixels).allocate == "error"
    for kwargs in (
        {"num_splats": 150, "pixels": pixels},
        {"num_splats": 1_000, "pixels": 64 * 64},
        {"num_splats": 10_000},
        {"num_splats": 10_000, "pixels": pixels, "start": "grid"},
        {"num_splats": 10_000, "pixels": pixels, "start": "template"},
        {"num_splats": 10_000, "pixels": pixels, "allocate": "start"},
        {"num_splats": 10_000, "pixels": pixels, "iterations": 60},
    ):
        assert default_settings(3, **kwargs).allocate == "start"


def test_headers_say_so_and_those_from_before_mean_the_start():
    before = default_settings(3).to_dict()
    assert "allocate" not in before
    assert to_record(before, EncoderSettings, "header").allocate == "start"
    by_error = default_settings(3, allocate="error")
    assert to_record(by_error.to_dict(), EncoderSettings, "header") == by_error


@pytest.mark.parametrize("values", [{"allocate": "eror"}, {"allocate": "error", "start": "template"}])
def test_what_cannot_be_allocated_is_refused(values):
    with pytest.raises(InputError, match="allocat"):
        EncoderSettings(**values)


def test_it_is_better_than_the_start_alone():
    image = textured(150, 150)
    psnr = {how: float(fitted(image, 1000, 120, how).psnr[0]) for how in ("start", "error")}
    assert psnr["error"] > psnr["start"] + 0.3, psnr


def test_the_threads_make_no_difference():
    image = textured()
    before = torch.get_num_threads()
    sets = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            sets.append(fitted(image, threads=threads).splats)
    finally:
        torch.set_num_threads(before)
    for other in sets[1:]:
        for name, value in sets[0].tensors().items():
            assert torch.equal(value, other.tensors()[name]), name


def single(height, width, channels=3, value=0, spot=None):
    image = np.full((1, channels, height, width), value, np.uint8)
    if spot is not None:
        image[:, :, height // 2, width // 2] = spot
    return image


@pytest.mark.parametrize(
    "image",
    [
        single(140, 150, value=90),
        single(140, 150),
        single(140, 150, value=255),
        single(1, 1, value=7),
        single(1, 1, channels=1),
        single(140, 150, spot=255),
        single(9000, 1, spot=200),
        single(2, 3, value=40, spot=200),
        textured(channels=1),
        textured(channels=4),
    ],
    ids=["grey", "black", "white", "pixel", "black pixel", "spot", "column", "six", "one channel", "alpha"],
)
@pytest.mark.parametrize("iterations", [1, 20])
def test_every_picture_gets_as_many_splats_as_asked_for(image, iterations):
    for count in (1, 33):
        encoded = fitted(image, count, iterations)
        splats = encoded.splats.validate()
        assert splats.num_splats == count
        assert float(splats.colors.min()) >= 0
        assert float(encoded.psnr[0]) > 8 or iterations == 1 or count == 1


def test_without_steps_the_start_is_the_set():
    image = textured(40, 40)
    assert torch.equal(fitted(image, 30, 0).splats.means, fitted(image, 30, 0, "start").splats.means)


def test_signed_colours_and_small_pictures():
    image = textured(40, 60)
    settings = default_settings(3, num_splats=80, iterations=60, allocate="error", signed=True)
    splats = FitEncoder(settings).encode(image).splats
    assert float(splats.colors.min()) < 0
    assert float(fitted(image, 80, 60).psnr[0]) > float(fitted(image, 80, 60, "start").psnr[0]) - 0.3


def test_a_target_is_reached_with_all_splats():
    encoded = fitted(textured(), 200, 60, target_psnr=18.0)
    assert encoded.splats.num_splats == 200
    assert float(encoded.psnr[0]) >= 18.0
    assert float(encoded.splats.colors.sum(-1).min()) >= 0


def test_without_the_kernel_it_is_the_same_to_rounding(monkeypatch):
    image = textured(40, 48)
    encoded = fitted(image, 40, 12)
    monkeypatch.setattr("gaussiandiffusion.encoding.encoder.kernel_available", lambda: False)
    reference = fitted(image, 40, 12)
    assert reference.splats.num_splats == 40
    assert float(reference.psnr[0]) == pytest.approx(float(encoded.psnr[0]), abs=1.0)


def test_rounds_lie_within_the_fit_and_fill_up():
    for iterations in (1, 2, 5, 100, 1000):
        rounds = Allocation().at(iterations)
        assert all(0 <= step < iterations for step in rounds)
        assert list(rounds.values())[-1] == 1
    assert not Allocation().at(0)


def test_places_are_where_the_error_is():
    error = np.zeros((20, 30), np.float32)
    error[3:6, 4:8] = 1
    places = worst_places(error, 12)
    assert len({tuple(place) for place in places}) == 12
    assert (error[places[:, 0], places[:, 1]] == 1).all()
    error[:] = 0
    assert len(worst_places(error, 5)) == 5
    error[7, 9] = 1
    assert (worst_places(error, 3) == [7, 9]).all()


def test_smoothing_keeps_the_sum_inside():
    residual = np.zeros((3, 21, 21), np.float32)
    residual[1, 10, 10] = 2
    assert squares(residual).sum() == pytest.approx(4)
    assert squares(residual).argmax() == 10 * 21 + 10


def test_importance_is_the_error_of_leaving_out():
    image = textured(64, 64)
    splats = fitted(image, 60, 30, "start").splats
    goal = torch.from_numpy(image).double() / 255
    colors = splats.colors.clone().requires_grad_()
    residual = accumulate(replace(splats, colors=colors)) - goal.float()
    (gradient,) = torch.autograd.grad(residual.square().sum() / 2, colors)
    worth = leaving_out(to_parameters(splats), (64, 64), gradient.numpy())[0]
    before = float(residual.detach().square().sum())
    exact = []
    for k in range(60):
        left = colors.detach().clone()
        left[:, k] = 0
        exact.append(float((accumulate(replace(splats, colors=left)) - goal.float()).square().sum()) - before)
    # What lies beyond the canvas is estimated as if x and y did not correlate; splats inside are weighed exactly.
    inside = (splats.means[0].abs() + 3 * splats.sigmas[0] < 1).all(-1).numpy()
    assert inside.sum() > 10
    assert worth[inside] == pytest.approx(np.array(exact)[inside], rel=0.02, abs=0.02)
    assert np.corrcoef(worth, exact)[0, 1] > 0.98


def test_files_record_it_and_are_resumed(tmp_path):
    images = ImageSet(np.concatenate([textured(), textured()[..., ::-1]]), None, "pair")
    encoder = make_encoder(3, num_splats=50, iterations=5, allocate="error")
    encode_dataset(images, encoder, tmp_path / "sets")
    report = encode_dataset(images, encoder, tmp_path / "sets", resume=True)
    assert report["fitted_now"] == 0
    (path,) = (tmp_path / "sets").glob("*.safetensors")
    assert storage.load(path).header.encoder["allocate"] == "error"
    with pytest.raises(InputError, match="other images or settings"):
        encode_dataset(images, make_encoder(3, num_splats=50, iterations=5), tmp_path / "sets", resume=True)


def test_encode_takes_it():
    image = textured(40, 40)
    splats = encode(image, 30, iterations=10, allocate="error")
    assert not torch.equal(splats.means, encode(image, 30, iterations=10).means)
    assert render(splats).shape == (1, 3, 40, 40)
