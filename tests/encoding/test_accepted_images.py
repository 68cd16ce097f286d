"""What `encode` accepts: tensors of any floating dtype, pictures of any kind of colour, and nothing ambiguous."""

import numpy as np
import pytest
import torch
from PIL import Image

import gaussiandiffusion as gd
from gaussiandiffusion.encoding import FitEncoder, make_encoder
from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def levels():
    """All 256 grey levels."""
    return np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_floats_are_rounded_to_the_level_they_stand_for(levels, dtype):
    images = (torch.from_numpy(levels) / 255).to(dtype)
    np.testing.assert_array_equal(as_pixels(images), levels)
    np.testing.assert_array_equal(as_pixels(images.requires_grad_()), levels)
    np.testing.assert_array_equal(as_pixels(images.detach().numpy()), levels)


def test_bfloat16_is_taken_as_precisely_as_it_is(levels):
    images = (torch.from_numpy(levels) / 255).bfloat16()
    # Eight bits of mantissa: half a level of 256 at 1, and rounding to a level.
    assert np.abs(as_pixels(images).astype(int) - levels).max() <= 1


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3), ("CMYK", 3), ("RGBA", 4), ("LA", 4)]
)
def test_open_pictures_become_what_their_files_would(tmp_path, mode, channels):
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 4), dtype=np.uint8)
    image = Image.fromarray(noise, "RGBA").convert("RGB").convert(mode)
    assert as_pixels(image).shape == (1, channels, 6, 9)
    if mode != "CMYK":  # which PNG does not know
        image.save(tmp_path / "x.png")
        np.testing.assert_array_equal(as_pixels(image), as_pixels(tmp_path / "x.png"))


@pytest.mark.parametrize("values", [np.array([[0, 65535]], np.uint16), np.array([[0, 1]], np.float32)])
def test_deep_pictures_are_scaled_rather_than_clipped(values):
    assert as_pixels(Image.fromarray(values)).ravel().tolist() == [0, 255]


@pytest.mark.parametrize(
    "images",
    [
        np.full((1, 1, 4, 4), -0.1),
        np.full((1, 1, 4, 4), 1.001),
        np.full((1, 1, 4, 4), np.inf),
        torch.full((1, 1, 4, 4), float("nan")),
        torch.full((1, 1, 4, 4), 200, dtype=torch.int64),
        torch.zeros(1, 4, 4),
        torch.zeros(1, 2, 4, 4),
        torch.zeros(1, 1, 0, 4),
        [Image.new("L", (4, 4)), Image.new("RGB", (4, 4))],
        [Image.new("L", (4, 4)), Image.new("L", (4, 5))],
    ],
)
def test_values_and_shapes_out_of_range_are_refused(images):
    with pytest.raises(InputError):
        gd.encode(images, 3)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("images", [np.zeros((1, 1, 4, 4), np.float32), np.zeros((4, 4), np.uint8)])
def test_the_encoder_itself_takes_bytes_only(images):
    with pytest.raises(InputError, match="must be uint8 of shape"):
        make_encoder(1, num_splats=3).encode(images)


def test_no_images_give_no_sets():
    encoded = make_encoder(1, num_splats=3).encode(np.zeros((0, 1, 4, 4), np.uint8))
    assert (len(encoded.splats), len(encoded.psnr)) == (0, 0)


def test_defaults_go_by_colour(strokes):
    assert gd.encode(strokes[:1], iterations=0).num_splats == 70
    assert gd.encode(np.zeros((1, 3, 8, 8), np.uint8), iterations=0).num_splats == 150


def test_a_template_belongs_to_its_start(make_splats):
    template = make_splats(n=1, k=5)
    with pytest.raises(InputError, match="for no other"):
        FitEncoder(make_encoder(1, num_splats=5).settings, template)
