"""Arrays come in as NumPy's, PIL's and diffusers' users have them; pictures by any way stand upright."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import gaussiandiffusion as gd
from gaussiandiffusion.data import load_images
from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.ground.errors import InputError

NOISE = np.random.default_rng(0).integers(0, 256, (2, 3, 6, 9), dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_channels_may_come_last_in_arrays(dtype, channels):
    pixels = NOISE[:, :channels]
    given = pixels if dtype == np.uint8 else (pixels / 255).astype(dtype)
    last = given.transpose(0, 2, 3, 1)
    for images in (given, last, list(last), [last[:1], last[1:]]):
        np.testing.assert_array_equal(as_pixels(images), pixels)
    np.testing.assert_array_equal(as_pixels(last[0]), pixels[:1])
    if channels == 1:
        np.testing.assert_array_equal(as_pixels(last[..., 0]), pixels)
        np.testing.assert_array_equal(as_pixels(last[0, ..., 0]), pixels[:1])


def test_an_array_of_a_picture_is_the_picture():
    for image in (Image.fromarray(NOISE[0].transpose(1, 2, 0)), Image.fromarray(NOISE[0, 0])):
        np.testing.assert_array_equal(as_pixels(np.asarray(image)), as_pixels(image))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((3, 6, 9)),
        np.zeros((2, 5, 6, 9)),
        torch.zeros(2, 6, 9, 3),
        torch.zeros(6, 9),
        np.zeros((1, 1, 1, 6, 9)),
    ],
)
def test_shapes_that_could_be_two_things_are_refused(images):
    with pytest.raises(InputError, match=r"must have shape|channels"):
        gd.encode(images, 3)


@pytest.fixture
def sideways():
    """A picture as a camera on its side stores it, what it shows upright, and its file."""
    lying = Image.fromarray(np.zeros((16, 32, 3), np.uint8))
    lying.paste((255, 0, 0), (0, 0, 16, 8))  # at the upper left as it lies, at the upper right upright
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    lying.save(content, "PNG", exif=exif)
    return np.asarray(lying.transpose(Image.Transpose.ROTATE_270)).transpose(2, 0, 1), content.getvalue()


def entrances(content, folder):
    """Every way in which a picture file comes in, as uint8 [N, C, H, W]."""
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(content)
    (folder / "classes" / "b").mkdir(parents=True)
    (folder / "classes" / "b" / "a.png").write_bytes(content)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.png", content)
    picture = folder / "pictures" / "a.png"
    yield "path", as_pixels(picture)
    yield "word", as_pixels(str(picture))
    yield "folder", load_images(folder / "pictures").images
    yield "folder of classes", load_images(folder / "classes").images
    yield "zip", load_images(folder / "a.zip").images
    with Image.open(picture) as opened:
        yield "PIL", as_pixels(opened)
        yield "PIL, loaded and copied", as_pixels(opened.copy())
        yield "PIL in a list", as_pixels([opened])
    yield "PIL of a stream", as_pixels(Image.open(io.BytesIO(content)))


def test_a_picture_stands_upright_whichever_way_it_comes(sideways, tmp_path):
    upright, content = sideways
    for way, pixels in entrances(content, tmp_path):
        np.testing.assert_array_equal(pixels, upright[None], err_msg=way)


def test_pictures_in_parquet_files_stand_upright(sideways, tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")  # of an extra
    upright, content = sideways
    parquet.write_table(arrow.table({"image": [{"bytes": content, "path": "a.png"}]}), tmp_path / "a.parquet")
    np.testing.assert_array_equal(load_images(tmp_path / "a.parquet").images, upright[None])


def test_an_open_picture_stays_as_it_was(sideways):
    opened = Image.open(io.BytesIO(sideways[1]))
    as_pixels(opened)
    assert (opened.size, opened.getexif()[0x0112]) == ((32, 16), 6)
