"""RGBA: what is transparent has no colour to be fitted, and pictures come out as PNG files have them."""

import numpy as np
import pytest
import torch

import gaussiandiffusion as gd
from gaussiandiffusion.encoding import default_settings, learn_template, make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import premultiplied, straight, to_uint8
from gaussiandiffusion.representation import SplatRepresentation


def equal(one, other):
    return all(torch.equal(value, other.tensors()[name]) for name, value in one.tensors().items())


def discs(count=3, size=20, hidden=None, seed=0):
    """Coloured discs with soft edges on nothing; `hidden` colours lie where nothing is seen."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    pictures = np.zeros((count, 4, size, size), np.uint8)
    for picture in pictures:
        centre, radius = random.uniform(7, size - 7, 2), random.uniform(4, 6)
        picture[3] = 255 * np.clip(radius - np.hypot(y - centre[0], x - centre[1]), 0, 1)
        picture[:3] = random.integers(60, 256, (3, 1, 1))
    if hidden == "black":
        pictures[:, :3] *= pictures[:, 3:] > 0
    elif hidden == "noise":
        noise = random.integers(0, 256, pictures[:, :3].shape, np.uint8)
        pictures[:, :3] = np.where(pictures[:, 3:] > 0, pictures[:, :3], noise)
    return pictures


@pytest.mark.parametrize("start", ["hilbert", "grid", "random"])
def test_hidden_colours_change_nothing(start):
    encoder = make_encoder(4, num_splats=30, start=start)
    black, noise = (encoder.encode(discs(hidden=kind)) for kind in ("black", "noise"))
    assert equal(black.splats, noise.splats)
    assert torch.equal(black.psnr, noise.psnr)
    assert black.psnr.min() > 28


def test_hidden_colours_change_no_template():
    settings = default_settings(4, num_splats=9, start="template")
    black, noise = (learn_template(discs(8, hidden=kind), settings, rounds=2) for kind in ("black", "noise"))
    assert equal(black, noise)


def test_a_picture_comes_back_with_its_colours_unmixed_up_to_its_edge():
    picture = discs(1, hidden="black")
    drawn = to_uint8(gd.render(gd.encode(picture, num_splats=60))).numpy()
    alpha = picture[0, 3]
    error = np.abs(drawn[0, :3].astype(int) - picture[0, :3])
    assert np.abs(drawn[0, 3].astype(int) - alpha).mean() < 4
    assert error[:, alpha > 100].mean() < 8  # nearly opaque pixels and the edge's: none is darkened
    assert (drawn[0, :3][:, drawn[0, 3] == 0] == 0).all()


def test_premultiplying_is_undone_as_far_as_eight_bits_tell():
    pixels = discs(hidden="black")
    back = straight(premultiplied(pixels))
    assert np.array_equal(back[:, 3], pixels[:, 3])
    error = np.abs(back.astype(int) - pixels)[:, :3]
    allowed = np.ceil(255 / np.maximum(pixels[:, 3:].astype(int), 1))
    assert (error <= allowed).all()
    grey = pixels[:, :1]
    assert premultiplied(grey) is grey
    assert straight(grey) is grey


def test_saved_sets_keep_their_output_and_files_of_before_are_drawn_as_they_were(tmp_path):
    splats = gd.encode(discs(1), num_splats=12)
    assert splats.output == "straight"
    splats.save(tmp_path / "new.safetensors")
    assert gd.Splats.load(tmp_path / "new.safetensors").output == "straight"
    before = gd.Splats(splats.means, splats.sigmas, splats.rhos, splats.colors, splats.canvas, output="clamp")
    before.save(tmp_path / "old.safetensors")
    old = gd.Splats.load(tmp_path / "old.safetensors")
    assert torch.equal(gd.render(old)[:, 3], gd.render(splats)[:, 3])
    assert not torch.equal(gd.render(old), gd.render(splats))


def test_gradients_reach_every_colour_and_are_finite_where_nothing_is_seen():
    splats = gd.encode(discs(1), num_splats=12)
    colors = splats.colors.clone().requires_grad_()
    gd.render(gd.Splats(splats.means, splats.sigmas, splats.rhos, colors, splats.canvas)).square().mean().backward()
    assert bool(colors.grad.isfinite().all())
    assert float(colors.grad.abs().max()) > 0


def test_what_a_model_decodes_is_straight_too():
    images = discs(6)
    encoder = make_encoder(4, num_splats=12)
    representation = SplatRepresentation.fit(encoder, encoder.encode(images).splats, per_slot=False)
    assert representation.from_latent(representation.to_latent(images)).output == "straight"


def test_straight_is_for_four_channels():
    values = torch.zeros(1, 2, 2), torch.ones(1, 2, 2), torch.zeros(1, 2), torch.zeros(1, 2, 3)
    with pytest.raises(InputError, match="RGBA"):
        gd.Splats(*values, gd.Canvas(4, 4, 3), output="straight")
