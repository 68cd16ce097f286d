"""`encode --allocate` as a user types it."""

import numpy as np
from commands import refused
from PIL import Image

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.splats import storage


def test_splats_are_allocated_as_asked_for(tmp_path, capsys):
    y, x = np.mgrid[:30, :40] / 5
    photo = tmp_path / "photo.png"
    Image.fromarray((127 + 120 * np.sin(x * y)).astype(np.uint8)).save(photo)
    command = ["encode", str(photo), "--splats", "30", "--iterations", "10", "--out"]
    sets = {}
    for how in ("error", "start", None):
        out = tmp_path / f"{how}.safetensors"
        assert run([*command, str(out), *([] if how is None else ["--allocate", how])]) == 0
        sets[how] = out.read_bytes()
    assert sets["start"] == sets[None] != sets["error"]
    assert storage.load(tmp_path / "error.safetensors").header.encoder["allocate"] == "error"
    out = tmp_path / "none.safetensors"
    assert "template" in refused(capsys, *command, out, "--allocate", "error", "--learn-template", tmp_path / "t")
    assert run([*command, str(out), "--allocate", "eror"]) == 2
    assert not out.exists()
