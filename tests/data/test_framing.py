"""`Framing`: what pictures of any size and mode become."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gaussiandiffusion.data import Framing, ImageSet, ImageSource, load_images, open_images
from gaussiandiffusion.data.framed import frame, frame_pixels, framed
from gaussiandiffusion.ground.errors import InputError

MODES = ("L", "RGB", "RGBA")
FITS = (None, "crop", "pad", "stretch")


def pixels_of(pixels: np.ndarray, framing: Framing) -> np.ndarray:
    return np.asarray(frame(Image.fromarray(pixels), framing))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from(MODES), st.integers(1, 30),
    st.sampled_from(FITS), st.sampled_from((None, *MODES)),
)  # fmt: skip
def test_every_picture_comes_to_the_canvas_and_the_mode(width, height, own, canvas, fit, mode):
    framing = Framing(canvas, fit, mode)
    picture = frame(Image.new(own, (width, height)), framing)
    assert picture.size == (canvas, canvas)
    assert picture.mode == (mode or own)
    channels = {"L": 1, "RGB": 3, "RGBA": 4}
    assert framing.shape((height, width, channels[own])) == (canvas, canvas, channels[picture.mode])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("mode", MODES)
def test_pictures_that_fit_stay_as_they_are(make, fit, mode):
    pixels = make.noise(8, 8, *{"L": (), "RGB": (3,), "RGBA": (4,)}[mode])
    np.testing.assert_array_equal(pixels_of(pixels, Framing(8, fit, mode)), pixels)
    assert not Framing()


def test_crop_keeps_the_centre_pad_all_and_stretch_fills():
    pixels = np.zeros((2, 6, 3), np.uint8)
    pixels[:, :2], pixels[:, 2:4], pixels[:, 4:] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    cropped = pixels_of(pixels, Framing(4))
    assert (cropped == (0, 200, 0)).all()
    padded = pixels_of(pixels, Framing(6, "pad"))
    np.testing.assert_array_equal(padded[2:4], pixels)
    assert not padded[:2].any()
    assert not padded[4:].any()
    stretched = pixels_of(pixels, Framing(6, "stretch"))
    np.testing.assert_array_equal(stretched, np.repeat(pixels, 3, axis=0))


def test_padding_is_transparent_where_it_can_be():
    padded = pixels_of(np.full((2, 4, 3), 90, np.uint8), Framing(4, "pad", "RGBA"))
    assert (padded[1:3] == (90, 90, 90, 255)).all()
    assert not padded[0].any()


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_pixel_art_scaled_by_a_whole_factor_stays_crisp(factor):
    art = np.random.default_rng(0).choice([0, 80, 255], (6, 6, 4)).astype(np.uint8)
    art[art[..., 3] == 80] = 0
    large = np.repeat(np.repeat(art, factor, 0), factor, 1)
    np.testing.assert_array_equal(pixels_of(art, Framing(6 * factor)), large)
    art[art[..., 3] == 0] = 0  # hidden colours are lost in a mean
    np.testing.assert_array_equal(pixels_of(large, Framing(6)), art)


def test_photographs_are_reduced_smoothly_and_keep_their_mean(make):
    photograph = np.asarray(Image.fromarray(make.noise(6, 6, 3)).resize((90, 90), Image.Resampling.BICUBIC))
    small = pixels_of(photograph, Framing(31))
    assert small.astype(float).mean((0, 1)) == pytest.approx(photograph.astype(float).mean((0, 1)), abs=1.5)


@pytest.mark.parametrize("canvas", [5, 7, 16, 40])
def test_hidden_colours_never_come_to_light(canvas):
    pixels = np.zeros((10, 10, 4), np.uint8)
    pixels[...] = (255, 0, 255, 0)  # loud, and wholly transparent
    pixels[3:7, 3:7] = (0, 120, 0, 255)
    out = pixels_of(pixels, Framing(canvas)).astype(int)
    shown = out[..., :3] * out[..., 3:] // 255
    assert shown[..., [0, 2]].max() == 0
    assert pixels_of(pixels, Framing(canvas, mode="RGB"))[..., [0, 2]].max() == 0


def test_transparent_pictures_become_opaque_over_black():
    pixels = np.array([[(200, 100, 40, 255), (200, 100, 40, 0), (200, 100, 40, 128)]], np.uint8)
    assert pixels_of(pixels, Framing(mode="RGB"))[0].tolist() == [[200, 100, 40], [0, 0, 0], [100, 50, 20]]
    assert pixels_of(pixels, Framing(mode="L"))[0, 1] == 0
    assert pixels_of(np.full((1, 1, 3), 7, np.uint8), Framing(mode="RGBA"))[0, 0].tolist() == [7, 7, 7, 255]
    assert pixels_of(np.full((1, 1), 7, np.uint8), Framing(mode="RGBA"))[0, 0].tolist() == [7, 7, 7, 255]


@pytest.mark.parametrize("shape", [(5, 1, 6, 9), (5, 3, 6, 9), (5, 4, 9, 6)])
@pytest.mark.parametrize("framing", [Framing(4), Framing(12, "pad", "RGBA"), Framing(mode="L")])
def test_images_in_arrays_are_framed_as_files_are(make, shape, framing):
    images = make.noise(*shape)
    expected = [pixels_of(np.squeeze(image.transpose(1, 2, 0)), framing) for image in images]
    out = frame_pixels(images, framing)
    for one, other in zip(out, expected, strict=True):
        np.testing.assert_array_equal(np.squeeze(one.transpose(1, 2, 0)), other)
    source = framed(ImageSource.of(ImageSet(images)), framing)
    assert source.canvas == (out.shape[2], out.shape[3], out.shape[1])
    np.testing.assert_array_equal(source.read(1, 3).images, out[1:3])
    assert framed(source, None) is source


def test_every_kind_of_source_is_framed(tmp_path, make):
    sizes = [(4, 6), (9, 9, 3), (8, 3, 4)]
    files = {f"{i}.png": make.picture_bytes(make.noise(*size)) for i, size in enumerate(sizes)}
    make.zip(tmp_path / "pictures.zip", files)
    for name, content in files.items():
        make.write(tmp_path / "folder" / name, content)
    np.savez(tmp_path / "x.npz", images=make.noise(3, 9, 5))
    make.idx(tmp_path / "x-images-idx3-ubyte", make.noise(3, 9, 4))
    framing = Framing(8, "pad", "RGBA")
    for source in ("pictures.zip", "folder", "x.npz", "x-images-idx3-ubyte", "folder/2.png"):
        loaded = load_images(tmp_path / source, framing=framing)
        assert loaded.images.shape[1:] == (4, 8, 8)
        assert open_images(tmp_path / source, framing=framing).canvas == (8, 8, 4)
    folder, packed = (load_images(tmp_path / name, framing=framing) for name in ("folder", "pictures.zip"))
    assert folder.sha256 == packed.sha256


def test_a_data_set_known_by_name_is_framed_too(tmp_path, make):
    make.idx(tmp_path / "train-images-idx3-ubyte", make.noise(3, 28, 28))
    make.idx(tmp_path / "train-labels-idx1-ubyte", np.arange(3))
    loaded = load_images("mnist", data_dir=tmp_path, framing=Framing(32, "pad", "RGB"))
    assert (loaded.images.shape, loaded.labels.tolist()) == ((3, 3, 32, 32), [0, 1, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"canvas": 0}, "--canvas must lie between 1 and 8192, not 0"),
        ({"canvas": 100_000}, "--canvas must lie"),
        ({"fit": "pad"}, "--fit pad .* give --canvas N too"),
    ],
)
def test_framings_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Framing(**options)


def test_the_record_needs_neither_pillow_nor_torch():
    code = "import sys; from gaussiandiffusion.data import Framing; sys.exit(bool({'PIL', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
