"""Settings from presets and files."""

import json
from dataclasses import replace

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.config import Augmentation, TrainConfig, load_config, presets


def test_every_preset_is_readable_and_its_template_is_there():
    assert "mnist" in presets()
    for name in presets():
        config = load_config(name)
        if config.start.startswith("template:"):
            from gaussiandiffusion.encoding.encoder import load_template

            assert load_template(config.start.removeprefix("template:")).splats.num_splats == config.splats


def test_a_saved_configuration_reads_back(tmp_path):
    config = TrainConfig(
        max_steps=7, prediction="epsilon", num_train_timesteps=200, limit=5,
        encode="live", augment=Augmentation(flip=True, rotate=2.5),
    )  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    assert load_config(tmp_path / "config.json") == config


def test_a_preset_says_in_a_table_how_to_augment(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('encode = "live"\n[augment]\nflip = true\nshift = 2\n')
    assert load_config(path) == TrainConfig(encode="live", augment=Augmentation(flip=True, shift=2))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("max_stepz = 3", "unknown setting 'max_stepz'; known are data"),
        ("max_steps = 0.5", "max_steps must be int, not 0.5"),
        ("compile = 1", "compile must be bool"),
        ('latent_form = "angles"', "latent_form must be"),
        ('latent_scaling = "none"', "latent_scaling must be"),
        ('prediction = "x0"', "prediction must be"),
        ("max_steps = 0", "max_steps must be >= 1"),
        ("label_dropout = 1.0", r"label_dropout must lie in \[0, 1\)"),
        ('encode = "sometimes"', "encode must be"),
        ("[augment]\nflip = true", "augment needs encode = live"),
        ('encode = "live"\n[augment]\nflop = true', "unknown setting 'augment.flop'; known are augment.flip"),
        ('encode = "live"\n[augment]\nflip = 1', "augment.flip must be bool, not 1"),
        ('encode = "live"\n[augment]\nshift = -1', "augment.shift must be a number of at least 0"),
        ('encode = "live"\naugment = true', r"augment must be a table, \[augment\]"),
        ("max_steps = = 3", "is not readable as toml"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, complaint):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_config(path)


def test_unknown_presets_are_refused_with_those_there_are():
    with pytest.raises(InputError, match="no preset or file 'minst'; presets: fashion-mnist, mnist"):
        load_config("minst")


def test_the_published_recipe_trains_and_its_pipeline_loads(stroke_file, tmp_path):
    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.training.latents import load_training_set
    from gaussiandiffusion.training.trainer import Trainer

    preset = load_config("mnist-published")
    assert (preset.start, preset.splats, preset.prediction, preset.num_train_timesteps) == (
        "random",
        70,
        "epsilon",
        200,
    )
    config = replace(
        preset, data=str(stroke_file), splats=12, iterations=5, model="tiny", max_steps=3, batch_size=8,
        log_every=1, mixed_precision="no",
    )  # fmt: skip
    data = load_training_set(config, None)
    latents = data.latents.take(0, torch.arange(len(data)))
    assert float(latents.abs().max()) <= 1 + 1e-5
    assert data.representation.anchors is None
    assert Trainer(config, data, tmp_path, "cpu").train()
    pipeline = GaussianDiffusionPipeline.from_pretrained(tmp_path / "pipeline")
    out = pipeline(num_samples=3, num_inference_steps=4, seed=0)
    out.splats.validate()
    assert out.images.shape == (3, 1, 16, 16)
    assert float(pipeline.representation.latent_transform.encode(out.splats).abs().max()) <= 1 + 1e-4


@pytest.mark.parametrize("wrong", [{}, {"per_slot": False, "prediction": "epsilon"}, {"representation": "pixels"}])
def test_coupling_is_for_flows_over_sets_without_slots(wrong):
    TrainConfig(coupling="hybrid", per_slot=False)
    with pytest.raises(InputError, match="per_slot = False"):
        TrainConfig(coupling="optimal", **wrong)
