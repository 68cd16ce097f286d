"""8-bit pictures: grids of them, PNG, GIF and video."""

import numpy as np
import pytest
import torch
from PIL import Image

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.media import GAP, grid_image, save_animation, save_mp4, save_png, to_image


def noise(n, channels=1, height=5, width=7):
    return torch.randint(
        0, 256, (n, channels, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def frames(count, size=(9, 6)):
    return [Image.new("L", size, 20 * i) for i in range(count)]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_pictures_keep_their_pixels(channels, mode):
    pixels = noise(1, channels)[0]
    image = to_image(pixels)
    assert (image.mode, image.size) == (mode, (7, 5))
    np.testing.assert_array_equal(np.asarray(image).reshape(5, 7, channels), pixels.permute(1, 2, 0))


@pytest.mark.parametrize(
    ("count", "columns", "expected"),
    [(1, None, (1, 1)), (5, None, (3, 2)), (64, None, (8, 8)), (20, None, (10, 2)), (5, 2, (2, 3)), (3, 9, (3, 1))],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grid_holds_every_picture_where_it_belongs(count, columns, expected, channels):
    pixels = noise(count, channels)
    sheet = grid_image(pixels, columns)
    across, down = expected
    assert sheet.size == (across * (7 + GAP) + GAP, down * (5 + GAP) + GAP)
    array = np.asarray(sheet).reshape(sheet.height, sheet.width, channels)
    for i, picture in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
        top, left = GAP + i // across * (5 + GAP), GAP + i % across * (7 + GAP)
        np.testing.assert_array_equal(array[top : top + 5, left : left + 7], picture)
        array = array.copy()
        array[top : top + 5, left : left + 7] = 40
    assert (array == 40).all()  # and nothing else


def test_enlarging_repeats_whole_pixels():
    small, large = grid_image(noise(3)), grid_image(noise(3), scale=4)
    np.testing.assert_array_equal(np.asarray(large), np.asarray(small).repeat(4, 0).repeat(4, 1))


def test_png_is_lossless_and_equal_pictures_give_equal_bytes(tmp_path):
    image = to_image(noise(1, 3)[0])
    for name in ("a.png", "b.png"):
        save_png(image, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(image))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_gif_shows_every_frame_and_holds_the_last(tmp_path, count):
    save_animation(frames(count), tmp_path / "x.gif", milliseconds=100, hold=900)
    with Image.open(tmp_path / "x.gif") as gif:
        assert getattr(gif, "n_frames", 1) == count
        durations = []
        for i in range(count):
            gif.seek(i)
            durations.append(gif.info.get("duration", 900))
            assert np.asarray(gif.convert("L")).mean() == pytest.approx(20 * i, abs=1)
    assert durations == [100] * (count - 1) + [900]


@pytest.mark.parametrize("size", [(10, 6), (9, 7)])  # H.264 takes even sides only
def test_a_video_holds_every_frame_at_an_even_size(tmp_path, size):
    av = pytest.importorskip("av")  # of an extra
    save_mp4(frames(6, size), tmp_path / "x.mp4", fps=4)
    with av.open(str(tmp_path / "x.mp4")) as container:
        video = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(video) == 6
    assert video[0].shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    # Lossy, and 16..235 of 8 bits: a few grey levels.
    assert [float(frame.mean()) for frame in video] == pytest.approx([20.0 * i for i in range(6)], abs=4)
    assert len(list(tmp_path.iterdir())) == 1


def test_without_the_extra_the_video_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(InputError, match=r"pip install .*\[video\]"):
        save_mp4(frames(2), tmp_path / "x.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    ways = (lambda path: save_png(frames(1)[0], path), "x.png"), (lambda path: save_animation(frames(2), path), "x.gif")
    for save, name in ways:
        with pytest.raises(InputError, match="cannot be written"):
            save(tmp_path / "file" / name)
