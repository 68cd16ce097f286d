"""Baselines in pixels on the command line: trained, sampled and refused like models of splats."""

import json

import pytest
import torch
from commands import refused
from PIL import Image
from safetensors.torch import load_file

from gaussiandiffusion.cli.main import run

SETTINGS = """
representation = "pixels"
model = "unet"
max_steps = 3
batch_size = 16
log_every = 1
mixed_precision = "no"
num_inference_steps = 2
"""


@pytest.fixture(scope="module")
def preset(stroke_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("preset") / "pixels.toml"
    path.write_text(f'data = "{stroke_file}"\n{SETTINGS}')
    return path


@pytest.fixture(scope="module")
def model(preset, tmp_path_factory):
    """A U-Net after three steps."""
    folder = tmp_path_factory.mktemp("run")
    assert run(["train", str(preset), "--output-dir", str(folder), "--device", "cpu"]) == 0
    return folder / "pipeline"


def test_training_leaves_a_model_and_what_it_cost(model):
    record = json.loads((model.parent / "training.json").read_text())
    assert (record["steps"], record["samples_seen"], record["representation"]["kind"]) == (3, 48, "pixels")
    assert record["seconds"] > 0
    weights = load_file(model / "denoiser" / "diffusion_pytorch_model.safetensors")
    assert all(weight.dtype == torch.bfloat16 for weight in weights.values())


def test_a_budget_is_found_on_this_machine_and_said(preset, tmp_path, capsys):
    argv = ["train", str(preset), "--output-dir", str(tmp_path), "--device", "cpu"]
    assert run([*argv, "--budget", "0.001"]) == 0
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["steps"] == record["config"]["optimiser"]["max_steps"]
    assert 1 <= record["steps"] <= max(1, int(0.06 / record["budget_seconds_per_step"]))  # some went into the timing
    assert f"trained {record['steps']} steps" in capsys.readouterr().out


def test_sample_writes_pictures_and_no_splats(model, tmp_path, capsys):
    out = tmp_path / "out"
    argv = ["sample", "--model", str(model), "--out", str(out)]
    (out / "images").mkdir(parents=True)
    for name in ("sample.json", "splats.safetensors"):
        (out / name).write_text("{}")  # of an earlier sample, from a model of splats
    assert run([*argv, "--num", "4", "--label", "2", "--gif", "--mp4", "--size", "32"]) == 0
    words = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "grid.png", "images", "materialisation.gif", "materialisation.mp4", "sample.json",
    ]  # fmt: skip
    for name in ("grid.png", "images/", "materialisation.gif", "materialisation.mp4", "sample.json"):
        assert name in words
    assert "splats" not in words
    assert Image.open(out / "images" / "00003.png").size == (32, 32)
    with Image.open(out / "materialisation.gif") as gif, Image.open(out / "grid.png") as grid:
        assert gif.n_frames == 3
        assert gif.width > 2 * 32  # drawn at the size asked for
        assert grid.width >= gif.width
    record = json.loads((out / "sample.json").read_text())
    assert (record["labels"], record["steps"], record["num"]) == ([2] * 4, 2, 4)


def test_pixels_as_svg_are_refused_before_any_work(model, tmp_path, capsys):
    out = tmp_path / "out"
    assert "generates pixels, which have no SVG; leave --svg out" in refused(
        capsys, "sample", "--model", model, "--svg", "--out", out
    )
    assert not out.exists()


def test_the_encoding_floor_of_a_pixel_model_is_of_the_images_themselves(model, strokes):
    from gaussiandiffusion.cli.evaluate import _floor_encoder

    assert (_floor_encoder(str(model))(strokes) == strokes).all()
    rendered = _floor_encoder(None)(strokes[:2])
    assert rendered.shape == strokes[:2].shape
    assert (rendered != strokes[:2]).any()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--budget", "nonsense"], "budget must be S, M, L or a number of minutes > 0, not 'nonsense'"),
        (["--budget", "0"], "budget must be"),
        (["--patch", "4"], "'unet' denoises whole images; set representation = pixels and patch = 0"),
        (["--patch", "5", "--network", "tiny"], "patches of 5 pixels do not tile images of 16x16"),
        (["--network", "tiny"], "'tiny' denoises sets of tokens, not whole images; set patch, or take a U-Net"),
        (["--render-weight", "1"], "render_weight is for splats"),
    ],
)
def test_bad_settings_are_answered_in_one_line(preset, tmp_path, capsys, flags, complaint):
    assert complaint in refused(capsys, "train", preset, "--output-dir", tmp_path / "run", "--device", "cpu", *flags)


def test_evaluate_says_what_it_cannot_compare(model, stroke_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["sample", "--model", str(model), "--num", "2", "--out", str(out)]) == 0
    report = tmp_path / "report.json"
    argv = ["evaluate", "--generated", out, "--real", stroke_file, "--features", "mnist", "--out", report]
    assert "at least 256" in refused(capsys, *argv)
    assert not report.exists()
