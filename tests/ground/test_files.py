"""Files are written whole or not at all, and folders by one at a time."""

import errno
import json
from pathlib import Path

import pytest

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import LOCK, atomic_path, locked, write_bytes, write_json


def test_a_failure_half_way_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")
    for failure, raised in [(RuntimeError("bug"), RuntimeError), (KeyboardInterrupt(), KeyboardInterrupt)]:
        with pytest.raises(raised), atomic_path(path) as temporary:  # noqa: PT012 (the failure is the body)
            temporary.write_bytes(b"half of the ne")
            raise failure
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    write = Path.write_bytes

    def fill(path, content):
        write(path, content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(InputError, match=r"x\.bin: cannot be written \(No space left on device\)"):
        write_bytes(tmp_path / "x.bin", b"content")
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made_and_json_comes_back(tmp_path):
    value = {"b": [1, 2.5, None], "a": "µ"}
    write_json(tmp_path / "new" / "folder" / "x.json", value)
    assert json.loads((tmp_path / "new" / "folder" / "x.json").read_text()) == value


def test_a_folder_is_held_by_one_and_left_as_it_was(tmp_path):
    folder = tmp_path / "new" / "folder"
    with locked(folder):
        with pytest.raises(InputError, match=r"being written by another process .*wait"), locked(folder):
            pass
        assert (folder / LOCK).exists()
    assert not folder.exists()  # nothing was written
    with pytest.raises(RuntimeError), locked(folder):  # noqa: PT012 (the failure is the body)
        (folder / "x").write_text("")
        raise RuntimeError
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_a_lock_file_left_by_a_dead_process_locks_nothing(tmp_path):
    (tmp_path / LOCK).write_text("process 1 on another machine")
    with locked(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/sets: cannot be written"), locked(tmp_path / "file" / "sets"):
        pass
