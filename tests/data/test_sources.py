"""`load_images`: telling the kinds of source apart, and the sentences for what is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gaussiandiffusion.data import load_images
from gaussiandiffusion.ground.errors import InputError

REFUSED = {
    "mnits": "did you mean mnist?",
    "fashion": "did you mean fashion-mnist?",
    "photographs": "(mnist, fashion-mnist, cifar10, sprites, sprites64, celeba64); give one of these",
    "missing.png": "no such file or folder",
    "missing/folder": "no such file or folder",
    "": "is an empty word",
    "x" * 5000: "neither a path nor a data set",
}


@pytest.mark.parametrize("source", REFUSED, ids=lambda source: source[:12])
def test_what_is_no_source_gets_one_sentence(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_images(source)
    assert REFUSED[source] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("options", "message"), [({"split": "valid"}, "train or test"), ({"limit": 0}, "at least 1")])
def test_options_are_checked_before_anything_is_read(options, message):
    with pytest.raises(InputError, match=message):
        load_images("mnist", **options)


def test_other_kinds_of_file(tmp_path, make):
    with pytest.raises(InputError, match=r"notes\.txt: is of no kind"):
        load_images(make.write(tmp_path / "notes.txt", b"x"))
    with pytest.raises(InputError, match="holds no pictures"):
        load_images(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(InputError, match="neither a file nor a folder"):
            load_images(tmp_path / "pipe.png")


def test_a_path_wins_over_a_name_when_written_as_one(tmp_path, make, monkeypatch):
    make.png(tmp_path / "mnist" / "a.png", make.noise(4, 4))
    monkeypatch.chdir(tmp_path)
    assert load_images("./mnist").images.shape == (1, 1, 4, 4)
    monkeypatch.chdir(tmp_path / "mnist")
    assert load_images(".").name == "mnist"


def test_home_is_understood(tmp_path, make, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make.png(tmp_path / "a.png", make.noise(4, 4))
    assert len(load_images("~/a.png")) == 1


def test_importing_the_layer_loads_no_torch():
    code = "import sys, gaussiandiffusion.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
