"""Arrays above the limit of what is held: read from the file, or unpacked, with the very same result."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

from gaussiandiffusion.data import arrays, idx, load_images, mapped, open_images
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def nothing_held(monkeypatch):
    for module in (arrays, idx):
        monkeypatch.setattr(module, "HELD", 0)


def idx_file(tmp_path, make, ending):
    make.idx(tmp_path / f"x-labels-idx1-ubyte{ending}", np.arange(9))
    return make.idx(tmp_path / f"x-images-idx3-ubyte{ending}", make.noise(9, 5, 4))


def npz_file(tmp_path, make, kind):
    pixels = make.noise(9, 5, 4, 3)
    if kind == "float16":
        pixels = (pixels / 255).astype(np.float16)
    if kind == "fortran":
        pixels = np.asfortranarray(pixels)
    save = np.savez_compressed if kind == "compressed" else np.savez
    save(tmp_path / "x.npz", labels=np.arange(9), images=pixels)
    return tmp_path / "x.npz"


CASES = {
    "idx": (idx_file, ""),
    "idx.gz": (idx_file, ".gz"),
    "npz": (npz_file, "plain"),
    "npz packed": (npz_file, "compressed"),
    "npz float": (npz_file, "float16"),
    "npz fortran": (npz_file, "fortran"),
}


@pytest.mark.parametrize("case", CASES)
def test_large_files_give_what_small_ones_do(tmp_path, make, request, case):
    write, kind = CASES[case]
    path = write(tmp_path, make, kind)
    held = load_images(path)
    request.getfixturevalue("nothing_held")
    source = open_images(path)
    assert source.read().sha256 == held.sha256
    assert source.read(2, 5).sha256 == held[2:5].sha256
    assert source.take(np.array([0, 3, 8])).sha256 == held[[0, 3, 8]].sha256
    assert not isinstance(source.read().images.base, np.memmap)


def test_large_files_cut_short_or_too_long_are_refused(tmp_path, make, nothing_held):
    for ending in ("", ".gz"):
        path = idx_file(tmp_path, make, "")
        whole = path.read_bytes()
        for content, message in ((whole[:-1], "cut short"), (whole + b"x", "goes on after")):
            path.write_bytes(content)
            if ending:
                import gzip

                path = make.write(tmp_path / "y-images-idx3.gz", gzip.compress(content))
            with pytest.raises(InputError, match=message):
                open_images(path)


def test_values_out_of_range_are_found_when_read(tmp_path, nothing_held):
    pixels = np.zeros((4, 5, 5), np.float32)
    pixels[3] = np.nan
    np.savez(tmp_path / "x.npz", images=pixels)
    source = open_images(tmp_path / "x.npz")
    assert len(source.read(0, 3)) == 3
    with pytest.raises(InputError, match=r"x\.npz.*holds NaN"):
        source.read()


def test_pickles_are_never_opened(tmp_path, nothing_held):
    np.savez(tmp_path / "x.npz", images=np.array([{"a": 1}] * 3, object))
    with pytest.raises(InputError, match="pickle"):
        open_images(tmp_path / "x.npz")


@pytest.mark.parametrize("change", ["unlink", "truncate"])
def test_a_large_file_that_vanishes_is_named(tmp_path, make, nothing_held, change):
    path = idx_file(tmp_path, make, "")
    source = open_images(path)
    if change == "unlink":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="x-images-idx3-ubyte: has become unreadable"):
        source.read(0, 2)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a file that is always full is Linux's")
def test_no_room_to_unpack_is_told(tmp_path, make, nothing_held, monkeypatch):
    monkeypatch.setattr(mapped.tempfile, "TemporaryFile", lambda: io.FileIO("/dev/full", "w"))
    with pytest.raises(InputError, match=r"No space left on device.*TMPDIR"):
        open_images(idx_file(tmp_path, make, ".gz"))
