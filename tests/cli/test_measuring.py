"""`evaluate` on what `sample` and `encode` wrote."""

import json
import shutil
import struct

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
def named(real, tmp_path_factory):
    """A folder with the first pictures of what passes for both splits of mnist."""
    folder = tmp_path_factory.mktemp("named")
    with np.load(real) as file:
        images, labels = file["images"][:, 0], file["labels"].astype(np.uint8)
    for prefix, pixels in (("t10k", images), ("train", images[::-1, :, ::-1])):
        header = struct.pack(">HBB3I", 0, 8, 3, *pixels.shape)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 270) + labels.tobytes())
    return folder


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    out = tmp_path_factory.mktemp("sampled") / "out"
    assert run(["sample", "--num", "260", "--steps", "1", "--guidance", "1", "--out", str(out)]) == 0
    return out


def test_a_sample_folder_is_measured_with_floor_and_labels(sampled, real, tmp_path, capsys):
    report = tmp_path / "report.json"
    argv = ["evaluate", "--generated", str(sampled), "--real", str(real), "--num", "260",
            "--features", "mnist", "--out", str(report)]  # fmt: skip
    assert run(argv) == 0
    values = json.loads(report.read_text())
    assert values["num"] == 260
    assert values["fid"] > values["floor_rendered"] > 0
    assert values["floor_train"] is values["memorisation"] is None  # no train split is known for a file
    assert not report.with_suffix(".neighbours.png").exists()
    assert 1 <= values["inception_score"] <= 10
    assert 0 <= values["label_accuracy"] <= 1
    assert values["seed"] == 0
    assert str(report) in capsys.readouterr().out
    first = report.read_bytes()
    assert run(argv) == 0
    assert report.read_bytes() == first


def test_a_splat_file_is_rendered_and_measured(sampled, real, tmp_path):
    folder, file = tmp_path / "a.json", tmp_path / "b.json"
    argv = ["evaluate", "--real", str(real), "--num", "260", "--features", "mnist"]
    assert run([*argv, "--generated", str(sampled), "--out", str(folder)]) == 0
    assert run([*argv, "--generated", str(sampled / "splats.safetensors"), "--out", str(file)]) == 0
    assert json.loads(file.read_text())["fid"] == pytest.approx(json.loads(folder.read_text())["fid"], rel=1e-3)


def test_a_data_set_brings_its_features_its_train_split_and_a_picture(sampled, named, tmp_path, capsys):
    report = tmp_path / "report.json"
    argv = ["evaluate", "--generated", str(sampled), "--real", "mnist:test", "--data-dir", str(named),
            "--out", str(report)]  # fmt: skip
    assert run(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    for words in ("FID", "KID", "precision", "recall", "real train images", "re-rendered", "as asked",
                  "near a training image", str(report), str(report.with_suffix(".neighbours.png"))):  # fmt: skip
        assert words in lines[0]
    values = json.loads(report.read_text())
    assert values["features"]["name"] == "mnist"
    assert values["train"]["split"] == "train"
    assert values["memorisation"]["train_images"] == 270
    assert len(values["memorisation"]["closest"]) == 10
    with Image.open(report.with_suffix(".neighbours.png")) as picture:
        assert picture.width > 10 * 28


def test_the_encoding_floor_of_a_model_of_pixels_is_of_the_images_themselves(real, tmp_path):
    from gaussiandiffusion.diffusion import Objective
    from gaussiandiffusion.models import PixelUNet
    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.representation import PixelRepresentation

    network = PixelUNet(widths=(8, 32), attention=(), norm_groups=4)
    pipeline = GaussianDiffusionPipeline(network, PixelRepresentation(28, 28), Objective().scheduler)
    pipeline.save_pretrained(tmp_path / "model")
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert run(["sample", "--model", str(tmp_path / "model"), "--num", "260", "--steps", "1", "--out", str(out)]) == 0
    assert run(["evaluate", "--generated", str(out), "--real", str(real), "--features", "mnist",
                "--out", str(report)]) == 0  # fmt: skip
    values = json.loads(report.read_text())
    assert values["floor_rendered"] == pytest.approx(0, abs=1e-3)
    assert values["fid"] > 1
    assert values["label_accuracy"] is None


@pytest.fixture
def complaint(sampled, real, tmp_path, capsys):
    """The one line on stderr of an evaluation that must be refused; nothing is written."""

    def refused(**changes) -> str:
        report = tmp_path / "refused.json"
        flags = {"generated": sampled, "real": real, "num": 260, "features": "mnist", "out": report} | changes
        capsys.readouterr()
        argv = [word for name, value in flags.items() if value is not None for word in (f"--{name}", str(value))]
        assert run(["evaluate", *argv]) == 2
        captured = capsys.readouterr()
        assert not report.exists()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
        return captured.err

    return refused


def test_unfair_or_missing_sides_are_refused(complaint, sampled, tmp_path):
    assert "has 260" in complaint(num=5000)
    assert "at least 256" in complaint(num=20)
    assert "none" in complaint(generated=tmp_path / "none")
    assert "none.npz" in complaint(real=tmp_path / "none.npz")
    assert "sample.json" in complaint(generated=sampled / "sample.json")


def test_images_without_a_feature_network_of_their_own_need_one_named(complaint):
    assert "real.npz: no feature network" in complaint(features=None)
    assert "--features" in complaint(features=None)


def test_the_same_images_on_both_sides_are_refused(complaint, real, sampled):
    assert "the same images" in complaint(generated=real)
    assert "the same images" in complaint(real=sampled)  # whose grid.png is none of them


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.full((260, 1, 28, 28), 200, np.float32), "float images lie in [0, 1]"),
        (np.zeros((260, 1, 28, 28), np.int64) + 300, "uint8"),
        (np.zeros((260, 1, 56, 56), np.uint8), "56x56 pixels of 1 channel,"),
        (np.zeros((260, 3, 28, 28), np.uint8), "28x28 pixels of 3 channels,"),
    ],
)
def test_images_of_another_kind_are_refused(complaint, tmp_path, images, words):
    np.savez(tmp_path / "wrong.npz", images=images)
    refusal = complaint(generated=tmp_path / "wrong.npz")
    assert words in refusal
    assert "wrong.npz" in refusal


def test_images_that_the_network_does_not_take_are_refused(complaint, tmp_path):
    for seed, name in enumerate(("a.npz", "b.npz")):
        pixels = np.random.default_rng(seed).integers(0, 256, (260, 1, 20, 20), dtype=np.uint8)
        np.savez(tmp_path / name, images=pixels)
    assert "[N, 1, 28, 28]" in complaint(generated=tmp_path / "a.npz", real=tmp_path / "b.npz")


def test_a_damaged_picture_is_named(complaint, sampled, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(sampled, folder)
    victim = folder / "images" / "00123.png"
    whole = victim.read_bytes()
    for content, word in ((whole[: len(whole) // 2], "damaged"), (b"", "empty"), (b"no picture", "not a PNG")):
        victim.write_bytes(content)
        refusal = complaint(generated=folder)
        assert str(victim) in refusal
        assert word in refusal
    victim.unlink()
    assert "images/ holds 259" in complaint(generated=folder)
