"""Folders with more in them than pictures: nothing of it is read, and nothing is ever waited for."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from gaussiandiffusion.data import listing as listing_module
from gaussiandiffusion.data import load_images, open_images
from gaussiandiffusion.data.listing import picture_names
from gaussiandiffusion.ground.errors import InputError

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
SECONDS = 10


@pytest.fixture(autouse=True)
def without_waiting():
    """Ends a test that waits for a pipe's other end."""

    def alarm(*_):
        raise TimeoutError("waited")

    before = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def icons(tmp_path, make):
    folder = tmp_path / "icons"
    for i in range(3):
        make.png(folder / f"{i}.png", np.full((4, 4), i, np.uint8))
    return folder


def named_sockets(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(path.parent)  # their names must be short
    try:
        server.bind(path.name)
    finally:
        os.chdir(here)
    return server


def test_what_is_no_picture_is_passed_over(icons, make):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "README", "._0.png", ".hidden/3.png"):
        make.write(icons / name, b"\0\1\2 no picture")
    os.mkfifo(icons / "pipe.png")
    os.mkfifo(icons / "pipe")
    os.symlink("pipe.png", icons / "link.png")
    os.symlink("/dev/zero", icons / "zero.png")
    with named_sockets(icons / "socket.png"):
        loaded = load_images(icons)
    assert loaded.images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert loaded.labels is None


def test_a_folder_of_pipes_holds_no_pictures(tmp_path):
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / "a.png")
    with pytest.raises(InputError, match="pipes: holds no pictures"):
        open_images(tmp_path / "pipes")


@pytest.mark.parametrize("name", ["pipe.png", "pipe.zip", "pipe.npz", "pipe.gz", "pipe.parquet", "pipe"])
def test_a_pipe_is_no_source(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        open_images(tmp_path / name)
    os.symlink(name, tmp_path / "link")
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        open_images(tmp_path / "link")


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_no_source(device):
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        open_images(device)


def test_pipes_beside_what_is_asked_for_are_not_read(tmp_path, make):
    make.idx(tmp_path / "train-images-idx3-ubyte", make.noise(3, 4, 4))
    os.mkfifo(tmp_path / "train-labels-idx1-ubyte")
    os.mkfifo(tmp_path / "data.parquet")
    assert load_images(tmp_path).labels is None


def test_a_picture_that_becomes_a_pipe_is_refused(icons):
    source = open_images(icons)
    (icons / "2.png").unlink()
    os.mkfifo(icons / "2.png")
    with pytest.raises(InputError, match=r"2\.png: is no regular file"):
        source.read()


def test_links_in_circles_end(icons, make):
    make.png(icons / "below" / "3.png", np.full((4, 4), 3, np.uint8))
    os.symlink("..", icons / "below" / "up")
    os.symlink(icons, icons / "self")
    os.symlink("../..", icons / "below" / "beyond")
    os.symlink("/", icons / "below" / "everything")
    os.symlink("b", icons / "a")
    os.symlink("a", icons / "b")
    assert sorted(picture_names(icons)) == ["0.png", "1.png", "2.png", "below/3.png"]


def test_a_link_that_leads_nowhere_is_named(icons):
    os.symlink("gone.png", icons / "1b.png")
    os.symlink("loop.png", icons / "loop.png")
    source = open_images(icons)
    with pytest.raises(InputError, match=r"1b\.png: cannot be read \(No such file"):
        source.read()
    (icons / "1b.png").unlink()
    with pytest.raises(InputError, match=r"loop\.png: cannot be read \(Too many levels"):
        load_images(icons)


def test_a_circle_is_no_source(tmp_path):
    os.symlink("b", tmp_path / "a")
    os.symlink("a", tmp_path / "b")
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        open_images(tmp_path / "a")


def test_links_to_folders_of_pictures_are_followed(icons, tmp_path, make):
    make.png(tmp_path / "elsewhere" / "x.png", np.full((4, 4), 9, np.uint8))
    os.symlink(tmp_path / "elsewhere", icons / "class")
    os.symlink(tmp_path / "elsewhere", icons / "class2")
    os.symlink(tmp_path / "elsewhere" / "x.png", icons / "y.png")
    assert sorted(picture_names(icons)) == ["0.png", "1.png", "2.png", "class/x.png", "y.png"]


def test_files_larger_than_any_picture_are_not_read(icons, monkeypatch):
    monkeypatch.setattr(listing_module, "LARGEST_FILE", 50)
    with pytest.raises(InputError, match=r"0\.png: has .* bytes, more than any picture"):
        open_images(icons)
