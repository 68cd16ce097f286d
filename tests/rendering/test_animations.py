"""Animations in every format: what is shown, for how long, and in how many bytes."""

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.media import save_animation
from gaussiandiffusion.rendering.palette import indexed


def moving(mode="RGB", count=6, side=40):
    """A bright square that moves over dark ground, with a corner that never changes."""
    frames = []
    for i in range(count):
        array = np.full((side, side, 4), (20, 30, 40, 255), np.uint8)
        array[5:15, 4 * i : 4 * i + 10] = (250, 120, 10 * i, 255)
        array[-3:, -3:] = (0, 200, 0, 0 if mode == "RGBA" else 255)
        frames.append(Image.fromarray(array).convert(mode))
    return frames


def noise(count=8, side=120, channels=3):
    generator = np.random.default_rng(0)
    arrays = generator.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return [Image.fromarray(array.squeeze()) for array in arrays]


def shown(path, mode):
    """Frames and the milliseconds of each."""
    with Image.open(path) as image:
        found, times = [], []
        for i in range(image.n_frames):
            image.seek(i)
            found.append(np.asarray(image.convert(mode)))
            times.append(image.info["duration"])
    return found, times


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".gif", ".apng", ".png"])
def test_frames_of_few_colours_are_kept_exactly(tmp_path, mode, suffix):
    frames = moving(mode)
    save_animation(frames, tmp_path / f"x{suffix}", milliseconds=50, hold=900)
    found, times = shown(tmp_path / f"x{suffix}", mode)
    assert times == [50] * 5 + [900]
    for frame, given in zip(found, frames, strict=True):
        given = np.asarray(given).copy()
        if mode == "RGBA":  # what is clear has no colour
            assert (frame[..., 3] == given[..., 3]).all()
            frame, given = (part * (part[..., 3:] > 0) for part in (frame, given))
        np.testing.assert_array_equal(frame, given)


def boxes(path):
    """Width and height of every frame in a GIF; none may bring a palette of its own."""
    data, found = path.read_bytes(), []
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)  # after header and palette
    while data[at] != 0x3B:
        if data[at] == 0x21:
            at += 2  # an extension, in blocks
        else:
            assert data[at] == 0x2C
            assert not data[at + 9] & 0x80
            found.append(tuple(int.from_bytes(data[at + i : at + i + 2], "little") for i in (5, 7)))
            at += 11
        while data[at]:
            at += data[at] + 1
        at += 1
    return found


def test_a_gif_has_one_palette_and_a_frame_tells_only_what_is_new(tmp_path):
    first = noise(1)[0]
    second = first.copy()
    second.paste((255, 0, 0), (3, 4, 8, 6))
    save_animation([first, second, first.rotate(90)], tmp_path / "x.gif")
    assert boxes(tmp_path / "x.gif") == [(120, 120)] * 3
    save_animation([first], tmp_path / "one.gif")
    save_animation([first, second, second], tmp_path / "few.gif")
    assert (tmp_path / "few.gif").stat().st_size < (tmp_path / "one.gif").stat().st_size + 500


def test_a_gif_too_large_gets_fewer_colours(tmp_path):
    frames = noise(channels=1)
    save_animation(frames, tmp_path / "all.gif", most=None)
    whole = (tmp_path / "all.gif").stat().st_size
    save_animation(frames, tmp_path / "fewer.gif", most=whole * 3 // 4)
    assert (tmp_path / "fewer.gif").stat().st_size <= whole * 3 // 4
    save_animation(frames, tmp_path / "fewest.gif", most=10)
    found, _ = shown(tmp_path / "fewest.gif", "L")
    assert len(np.unique(np.stack(found))) == 24
    assert np.abs(found[3].astype(int) - np.asarray(frames[3])).max() <= 6  # half of 255 / 23


def test_thin_lines_keep_their_colours():
    # Nine tenths are many greys; a few pixels are red.
    array = np.repeat(np.arange(200, dtype=np.uint8)[:, None], 200, 1)[..., None].repeat(3, -1)
    array[100, :20] = (255, 0, 0)
    made = indexed([Image.fromarray(array)] * 8, 32)
    assert np.abs(made.colors[made.frames[0][100, 5]].astype(int) - (255, 0, 0)).max() <= 8
    assert len(np.unique(made.colors, axis=0)) == len(made.colors) <= 33


def test_frames_that_are_all_clear_are_a_gif_too(tmp_path):
    save_animation([Image.new("RGBA", (1, 1)), Image.new("RGBA", (1, 1), "red")], tmp_path / "x.gif")
    found, _ = shown(tmp_path / "x.gif", "RGBA")
    assert [int(frame[0, 0, 3]) for frame in found] == [0, 255]


def test_a_video_holds_the_last_frame(tmp_path):
    av = pytest.importorskip("av")  # of an extra
    save_animation(moving(), tmp_path / "x.mp4", milliseconds=100, hold=500)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].average_rate == 10
        assert sum(1 for _ in container.decode(video=0)) == 5 + 5


@pytest.mark.parametrize(
    ("name", "size", "complaint"),
    [
        ("x.webm", (4, 4), "x.webm: no kind of animation has the suffix '.webm'; choose .gif, .apng or .mp4"),
        ("x.gif", (70_000, 1), "70000x1 pixels are too large for GIF, which holds 65535 a side"),
        ("x.mp4", (1, 20_000), "too large for MP4"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, name, size, complaint):
    with pytest.raises(InputError, match=complaint):
        save_animation([Image.new("L", size)] * 2, tmp_path / name)
    assert not list(tmp_path.iterdir())
