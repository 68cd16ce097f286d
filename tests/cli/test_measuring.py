"""`evaluate` on what `sample` and `encode` wrote."""

import json

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.cli.main import run


@pytest.fixture(scope="module")
def real(strokes, tmp_path_factory):
    """270 labelled pictures of 28x28 pixels."""
    folder = tmp_path_factory.mktemp("real")
    random = np.random.default_rng(0)
    large = [np.asarray(Image.fromarray(p).resize((28, 28))) for p in strokes[:, 0]]
    images = np.stack([np.roll(large[i % 48], random.integers(-3, 4, 2), (0, 1)) for i in range(270)])
    np.savez(folder / "real.npz", images=images[:, None], labels=np.arange(270) % 3)
    return folder / "real.npz"


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    out = tmp_path_factory.mktemp("sampled") / "out"
    assert run(["sample", "--num", "260", "--steps", "1", "--guidance", "1", "--out", str(out)]) == 0
    return out


def test_a_sample_folder_is_measured_with_floor_and_labels(sampled, real, tmp_path, capsys):
    report = tmp_path / "report.json"
    argv = ["evaluate", "--generated", str(sampled), "--real", str(real), "--num", "260", "--out", str(report)]
    assert run(argv) == 0
    values = json.loads(report.read_text())
    assert values["num"] == 260
    assert values["fid"] > values["floor_rendered"] > 0
    assert values["floor_train"] is None  # no train split is known for a file
    assert 0 <= values["label_accuracy"] <= 1
    assert values["seed"] == 0
    assert str(report) in capsys.readouterr().out
    first = report.read_bytes()
    assert run(argv) == 0
    assert report.read_bytes() == first


def test_a_splat_file_is_rendered_and_measured(sampled, real, tmp_path):
    folder, file = tmp_path / "a.json", tmp_path / "b.json"
    argv = ["evaluate", "--real", str(real), "--num", "260"]
    assert run([*argv, "--generated", str(sampled), "--out", str(folder)]) == 0
    assert run([*argv, "--generated", str(sampled / "splats.safetensors"), "--out", str(file)]) == 0
    assert json.loads(file.read_text())["fid"] == pytest.approx(json.loads(folder.read_text())["fid"], rel=1e-3)


def test_unfair_or_missing_sides_are_refused(sampled, real, tmp_path, capsys):
    report = tmp_path / "report.json"
    for generated, reference, num, complaint in [
        (sampled, real, "5000", "260"),
        (sampled, real, "20", "256"),
        (tmp_path / "none", real, "260", "none"),
        (sampled, tmp_path / "none.npz", "260", "none.npz"),
        (sampled / "sample.json", real, "260", "sample.json"),
    ]:
        argv = ["evaluate", "--generated", generated, "--real", reference, "--num", num, "--out", report]
        capsys.readouterr()
        assert run([str(a) for a in argv]) == 2
        assert complaint in capsys.readouterr().err
    assert not report.exists()
