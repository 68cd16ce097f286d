"""Training on sets that are encoded already: what pictures would have given, without fitting them again."""

import json

import numpy as np
import pytest
import torch

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.splats import storage
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.metrics import read_metrics
from gaussiandiffusion.training.presets import load_config, with_settings
from gaussiandiffusion.training.sets_encoder import mean_set
from gaussiandiffusion.training.trainer import Trainer

TINY = {"iterations": 5, "network": "tiny", "max_steps": 4, "batch_size": 16, "warmup_steps": 2, "log_every": 1,
        "sample_every": 100, "checkpoint_every": 100, "mixed_precision": "no", "num_inference_steps": 2}  # fmt: skip


def flags(**settings):
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def folder(stroke_file, tmp_path_factory):
    """Sets of `strokes`: from random starts as in the published recipe, and canonical ones with their template."""
    folder = tmp_path_factory.mktemp("sets")
    some = [str(stroke_file), "--splats", "8", "--iterations", "5"]
    template = str(folder / "template.safetensors")
    assert run(["encode", *some, "--start", "random", "--out", str(folder / "random.safetensors")]) == 0
    assert run(["encode", *some, "--start", "random", "--out", str(folder / "shards")]) == 0
    learned = ["--learn-template", template, "--out", str(folder / "canonical.safetensors")]
    assert run(["encode", *some, *learned]) == 0
    return folder


@pytest.fixture(scope="module")
def published(stroke_file):
    return with_settings(load_config("mnist-published"), data=str(stroke_file), **TINY | {"splats": 8})


@pytest.fixture(scope="module")
def canonical(stroke_file, folder):
    template = f"template:{folder / 'template.safetensors'}"
    return with_settings(load_config("mnist"), data=str(stroke_file), **TINY | {"splats": 8, "start": template})


def of_sets(config, path, **settings):
    return with_settings(config, data=str(path), **settings)


def losses(config, folder):
    data = load_training_set(config, None)
    assert Trainer(config, data, folder, "cpu").train()
    return data, [line.loss for line in read_metrics(folder / "metrics.jsonl")]


@pytest.mark.parametrize("name", ["random.safetensors", "shards"])
def test_the_published_recipe_learns_of_sets_what_it_learns_of_their_pictures(published, folder, name, tmp_path):
    pictures, expected = losses(published, tmp_path / "pictures")
    sets, found = losses(of_sets(published, folder / name), tmp_path / "sets")
    assert found == expected
    assert torch.equal(sets.latents.values, pictures.latents.values)
    assert torch.equal(sets.conditions.values, pictures.conditions.values)
    assert sets.conditions.spec == pictures.conditions.spec
    assert sets.psnr == pytest.approx(pictures.psnr)
    assert sets.representation.config == pictures.representation.config


def test_so_does_a_canonical_preset_with_its_template(canonical, folder, tmp_path):
    pictures, expected = losses(canonical, tmp_path / "pictures")
    sets, found = losses(of_sets(canonical, folder / "canonical.safetensors"), tmp_path / "sets")
    assert found == expected
    assert torch.equal(sets.representation.anchors, pictures.representation.anchors)
    assert sets.representation.config == pictures.representation.config


def test_without_its_template_the_mean_of_the_slots_stands_in(canonical, folder, strokes, tmp_path):
    path = tmp_path / "canonical.safetensors"  # no template lies here
    path.write_bytes((folder / "canonical.safetensors").read_bytes())
    data = load_training_set(of_sets(canonical, path, start="template"), None)
    file = storage.load(path)
    mean = mean_set(file.splats)
    assert torch.equal(data.representation.template.means, mean.means)
    assert torch.allclose(mean.means[0], file.splats.means.mean(0), atol=1e-5)
    again = data.representation.encoder().encode(strokes[:8])
    assert again.psnr.mean() > file.psnr.mean() - 3


def test_the_model_samples_and_its_encoder_makes_the_floor(folder, tmp_path, strokes, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    quick = flags(**{name: value for name, value in TINY.items() if name != "max_steps"})
    quick += ["--budget", "0.004", "--render-weight", "0", "--device", "cpu"]
    for name, slots in (("random", False), ("canonical", True)):
        assert run(["train", str(folder / f"{name}.safetensors"), *quick, "--limit", "20"]) == 0
        assert "on this machine: training 0.1" in capsys.readouterr().err
        pipe = GaussianDiffusionPipeline.from_pretrained(f"runs/{name}/pipeline")
        representation = pipe.representation
        assert (representation.settings.start == "template", representation.config.per_slot) == (slots, slots)
        assert pipe(num_samples=2, class_labels=1, seed=0).images.shape == (2, 1, 16, 16)
        assert representation.reconstruct(strokes[:2]).shape == (2, 1, 16, 16)
        assert json.loads((tmp_path / "runs" / name / "training.json").read_text())["samples_seen"] % 16 == 0


def test_sets_of_other_systems_get_the_default_encoder_and_softly_drawn_ones_stay_so(published, make_splats, tmp_path):
    splats = make_splats(6, 8, 16, 16, output="soft")
    splats.save(tmp_path / "soft.safetensors", labels=torch.tensor([0, 1, 2, -1, 1, 0]))
    config = of_sets(published, tmp_path / "soft.safetensors")
    data = load_training_set(config, None)
    assert (data.representation.settings.num_splats, data.representation.settings.start) == (8, "random")
    assert data.conditions.spec.sizes == ()
    latents = data.latents.values
    assert data.representation.from_latent(latents).output == "soft"
    pictures = data.representation.pictures(latents)
    assert float(data.representation.picture_loss(latents, pictures)) == pytest.approx(0, abs=1e-9)
    moved = (latents + 0.1).requires_grad_()
    data.representation.picture_loss(moved, pictures).backward()
    assert moved.grad.abs().sum() > 0
    config = with_settings(config, render_weight=0.5, render_below=1.0)
    Trainer(config, data, tmp_path / "run", "cpu").train()
    log = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert all(json.loads(line)["render"] > 0 for line in log)
    pipe = GaussianDiffusionPipeline.from_pretrained(tmp_path / "run" / "pipeline")
    assert pipe(num_samples=1, seed=0).splats.output == "soft"


@pytest.mark.parametrize(
    ("name", "settings", "complaint"),
    [
        ("random", {"encode": "live"}, "encode = live and augment need pictures"),
        ("random", {"canvas": 9, "fit": "pad"}, "leave canvas and fit out"),
        ("random", {"mode": "L"}, "leave mode out"),
        ("random", {"split": "test"}, "have no splits"),
        ("random", {"render_goal": "images"}, "give --render-goal sets"),
        ("random", {"splats": 9}, "have 8 splats, not 9; give --splats 8"),
        ("random", {"start": "hilbert"}, "from the start random, not hilbert; give --start random"),
        ("random", {"iterations": 6}, "in 5 iterations, not 6; leave iterations out"),
        ("random", {"signed": True}, "leave signed out"),
        ("random", {"per_slot": True}, "in no common order, so slots mean nothing; give --per-slot False"),
        ("random", {"representation": "pixels", "patch": 4}, "holds sets, of which no pixels are learned"),
        ("random", {"limit": 1}, "one set is too few to train on"),
        ("canonical", {}, "from the start template, not random; give --start template"),
        ("canonical", {"start": "template:OTHER"}, r"another template than .*; give theirs"),
        ("foreign", {"start": "template"}, "not known to come from a template; give --start hilbert"),
        ("alpha", {}, r"drawn one over another \(alpha\)"),
        ("ground", {}, "have a background"),
    ],
)
def test_what_makes_no_sense_with_sets_is_refused(published, folder, make_splats, tmp_path, name, settings, complaint):
    make_splats(3, 8, 16, 16).save(folder / "foreign.safetensors")
    make_splats(3, 8, 16, 16, blending="alpha").save(folder / "alpha.safetensors")
    make_splats(3, 8, 16, 16, background=torch.ones(3, 1)).save(folder / "ground.safetensors")
    make_splats(1, 8, 16, 16).save(tmp_path / "other.safetensors")
    if settings.get("start") == "template:OTHER":
        settings = {"start": f"template:{tmp_path / 'other.safetensors'}"}
    with pytest.raises(InputError, match=complaint) as refusal:
        load_training_set(of_sets(published, folder / f"{name}.safetensors", **settings), None)
    assert str(refusal.value).startswith(str(folder / name))


def test_open_conditions_stay_open(published, folder, make_splats, tmp_path):
    conditions = load_training_set(published, None).conditions
    values = conditions.values[:6].clone()
    values[2] = 3  # open
    path = tmp_path / "some.safetensors"
    make_splats(6, 8, 16, 16).save(path, conditions=type(conditions)(conditions.spec, values))
    data = load_training_set(of_sets(published, path), None)
    assert np.array_equal(data.conditions.values, values)
