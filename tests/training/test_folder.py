"""Output folders: none is overwritten unasked, and none is two trainings'."""

import subprocess
import sys

import pytest

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.folder import check_free, checkpoints, clear, occupied

HOLD = "import sys, time; from pathlib import Path; from gaussiandiffusion.training.folder import occupied\n"
HOLD += "with occupied(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def trained(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-00000008.pt").touch()
    (tmp_path / "checkpoints" / ".step-00000009.pt.tmp").touch()
    (tmp_path / "pipeline").mkdir()
    return tmp_path


def test_an_earlier_training_is_gone_on_with_or_replaced_only_if_that_is_said(trained):
    with pytest.raises(InputError, match=r"earlier training.*--resume.*--output-dir.*--overwrite"):
        check_free(trained)
    check_free(trained, resume=True)
    check_free(trained, overwrite=True)
    with pytest.raises(InputError, match="give only one"):
        check_free(trained, resume=True, overwrite=True)
    assert [path.name for path in checkpoints(trained)] == ["step-00000008.pt"]
    clear(trained)
    assert not checkpoints(trained)
    assert (trained / "pipeline").exists()  # until there is another
    with pytest.raises(InputError, match="no checkpoint to go on from"):
        check_free(trained, resume=True)


def test_a_folder_without_a_training_is_free(tmp_path):
    (tmp_path / "metrics.jsonl").touch()  # of one that ended before it saved anything
    for resume in (False, True):
        check_free(tmp_path, resume=resume)
        check_free(tmp_path / "none", resume=resume)


def test_two_trainings_never_share_a_folder_and_a_killed_one_leaves_it(tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(InputError, match=rf"another process \(process {other.pid} on"), occupied(folder):
                pass
        finally:
            other.kill()
    with occupied(folder):
        assert folder.is_dir()
    assert not folder.exists()  # nothing was written


def test_the_processes_of_one_training_share_it(tmp_path, monkeypatch):
    with occupied(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with occupied(tmp_path):
            pass
