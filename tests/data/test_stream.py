"""`ImageSource`: parts are what the whole is, and nothing is read before it is asked for."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest

from gaussiandiffusion.data import ContentHash, ImageSet, ImageSource, load_images, open_images, read_ahead
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def ten(make) -> ImageSet:
    return ImageSet.labelled(make.noise(10, 3, 4, 5), np.arange(10) % 4, "ten", "train")


def test_parts_are_slices_of_the_whole(ten):
    source = ImageSource.of(ten)
    assert (len(source), source.canvas, source.name, source.split) == (10, (4, 5, 3), "ten", "train")
    assert source.read().sha256 == ten.sha256
    for start, stop in ((0, 3), (7, 20), (4, 4), (9, None)):
        assert source.read(start, stop).sha256 == ten[start:stop].sha256
    assert source.take(np.array([1, 4, 9])).sha256 == ten[[1, 4, 9]].sha256
    assert source.select(np.array([2, 5, 6])).limit(2).read().sha256 == ten[[2, 5]].sha256
    assert source.limit(None).read().sha256 == source.limit(99).read().sha256 == ten.sha256
    with pytest.raises(InputError, match="at least 1"):
        source.limit(0)


@pytest.mark.parametrize("length", [1, 3, 10, 64])
def test_reading_ahead_gives_everything_once_in_order(ten, length):
    parts = list(read_ahead(ImageSource.of(ten), length))
    assert [len(part) for part in parts[:-1]] == [length] * (len(parts) - 1)
    content = ContentHash(ten.images.shape)
    for part in parts:
        content.update(part.images)
    assert content.hexdigest(ten.conditions) == ten.sha256


def test_reading_ahead_stays_one_part_ahead_and_leaves_no_thread(ten):
    asked = []

    def fetch(positions):
        asked.append(positions.tolist())
        return ten.images[positions]

    before = threading.active_count()
    with contextlib.closing(read_ahead(ImageSource(10, (4, 5, 3), fetch), 2)) as parts:
        next(parts)
        next(parts)
    assert len(asked) <= 3
    assert threading.active_count() == before


def test_an_error_of_reading_arrives_at_its_part(ten):
    def fetch(positions):
        if 4 in positions:
            raise InputError("picture 4: is damaged")
        return ten.images[positions]

    parts = read_ahead(ImageSource(10, (4, 5, 3), fetch), 2)
    assert [len(next(parts)), len(next(parts))] == [2, 2]
    with pytest.raises(InputError, match="picture 4"):
        next(parts)


@pytest.fixture(params=["folder", "zip"])
def pictures(request, tmp_path, make):
    """Five pictures, of which the last is of another size."""
    contents = {f"{i}.png": make.picture_bytes(np.full((4, 4 + i // 4), i, np.uint8)) for i in range(5)}
    if request.param == "zip":
        return make.zip(tmp_path / "pictures.zip", contents)
    for name, content in contents.items():
        make.write(tmp_path / "pictures" / name, content)
    return tmp_path / "pictures"


def test_pictures_are_read_only_when_asked_for(pictures):
    source = open_images(pictures)
    assert len(source) == 5
    assert source.read(1, 4).images[:, 0, 0, 0].tolist() == [1, 2, 3]
    with pytest.raises(InputError, match=r"4 of 4x4, such as 0\.png; 1 of 5x4, such as 4\.png"):
        source.read(3, 5)
    assert len(load_images(pictures, limit=4)) == 4


def test_a_picture_that_has_vanished_is_named(tmp_path, make):
    for i in range(3):
        make.png(tmp_path / f"{i}.png", make.noise(4, 4))
    source = open_images(tmp_path)
    (tmp_path / "1.png").unlink()
    assert len(source.read(0, 1)) == 1
    with pytest.raises(InputError, match=r"1\.png: cannot be read \(No such file"):
        source.read(0, 3)
