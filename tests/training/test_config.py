"""Settings from presets and files."""

import json

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import load_config, presets, to_flat, with_settings


def test_every_preset_is_readable_and_its_template_is_there():
    assert "mnist" in presets()
    for name in presets():
        config = load_config(name)
        if config.representation.start.startswith("template:"):
            from gaussiandiffusion.encoding.encoder import load_template

            assert (
                load_template(config.representation.start.removeprefix("template:")).splats.num_splats
                == config.representation.splats
            )


def test_a_saved_configuration_reads_back(tmp_path):
    config = with_settings(
        TrainConfig(),
        max_steps=7, prediction="epsilon", num_train_timesteps=200, limit=5,
        encode="live", augment={"flip": True, "rotate": 2.5},
    )  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    assert load_config(tmp_path / "config.json") == config


def test_a_preset_says_in_a_table_how_to_augment(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('encode = "live"\n[augment]\nflip = true\nshift = 2\n')
    assert load_config(path) == with_settings(TrainConfig(), encode="live", augment={"flip": True, "shift": 2})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "max_stepz = 3",
            "unknown setting 'max_stepz'; did you mean 'max_steps'.* Known are data",
        ),
        ("max_steps = 0.5", "max_steps: expected int, got float"),
        ("compile = 1", "compile: expected bool, got int"),
        ('latent_form = "angles"', "latent_form: must be log_covariance or deviations, not 'angles'"),
        ('latent_scaling = "none"', "latent_scaling: must be standard or min_max"),
        ('prediction = "x0"', "prediction: must be flow or v_prediction or epsilon"),
        ("max_steps = 0", "max_steps must be >= 1"),
        ("label_dropout = 1.0", r"label_dropout must lie in \[0, 1\)"),
        ('encode = "sometimes"', "encode: must be once or live"),
        ("[augment]\nflip = true", "augment needs encode = live"),
        ('encode = "live"\n[augment]\nflop = true', "unknown setting 'augment.flop'; did you mean 'augment.flip'"),
        ('encode = "live"\n[augment]\nflip = 1', "augment.flip: expected bool, got int"),
        ('encode = "live"\n[augment]\nshift = -1', "augment.shift must be a number of at least 0"),
        ('encode = "live"\naugment = true', "unknown setting 'augment'"),
        ("max_steps = = 3", "is not readable TOML"),
        ("num_inference_steps = 0", "num_inference_steps must be >= 1"),
        ("guidance_scale = nan", r"guidance_scale must lie in \[-1000, 1000\], not nan"),
        ("weight_decay = nan", "weight_decay must lie in"),
        ("weight_decay = -1.0", "weight_decay must lie in"),
        ("beta2 = 1.0", r"beta2 must lie in \[0, 1\)"),
        ("final_lr = -5.0", "final_lr must lie in"),
        ("clip_norm = -1.0", "clip_norm must be > 0"),
        ("logit_std = nan", "logit_std must lie in"),
        ("render_weight = -1.0", "render_weight must lie in"),
        ("num_train_timesteps = 0", "num_train_timesteps must be >= 1"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, complaint):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_config(path)


def test_unknown_presets_are_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no preset or file 'minst'; presets: .*fashion-mnist, folder, mnist"):
        load_config("minst")


def test_the_published_recipe_trains_and_its_pipeline_loads(stroke_file, tmp_path):
    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.training.trainer import Trainer

    preset = load_config("mnist-published")
    assert tuple(to_flat(preset)[n] for n in ("start", "splats", "prediction", "num_train_timesteps")) == (
        "random",
        70,
        "epsilon",
        200,
    )
    config = with_settings(
        preset, data=str(stroke_file), splats=12, iterations=5, network="tiny", max_steps=3, batch_size=8,
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
    assert float(pipeline.representation.latent_transform.to_latent(out.splats).abs().max()) <= 1 + 1e-4


@pytest.mark.parametrize("wrong", [{}, {"per_slot": False, "prediction": "epsilon"}, {"representation": "pixels"}])
def test_coupling_is_for_flows_over_sets_without_slots(wrong):
    with_settings(TrainConfig(), coupling="hybrid", per_slot=False)
    with pytest.raises(InputError, match="per_slot = False"):
        with_settings(TrainConfig(), coupling="optimal", **wrong)


FLAT = """
data = "mnist"
splats = 24
start = "template:x.safetensors"
model = "compact"
label_dropout = 0.2
feature_weights = "uniform"
render_weight = 10.0
max_steps = 34000
teacher = "mnist"
teacher_pairs = 100
sample_every = 5000
scheduler = "few-step"
encode = "live"
[augment]
shift = 1
"""
NESTED = """
[data]
source = "mnist"
encode = "live"
[data.augment]
shift = 1
[representation]
splats = 24
start = "template:x.safetensors"
[network]
size = "compact"
[objective]
label_dropout = 0.2
render_weight = 10.0
[optimiser]
max_steps = 34000
[teacher]
model = "mnist"
pairs = 100
[record]
sample_every = 5000
[sampler]
scheduler = "few-step"
"""


def test_flat_files_of_before_mean_what_the_parts_mean(tmp_path):
    for name, text in (("flat", FLAT), ("nested", NESTED)):
        (tmp_path / f"{name}.toml").write_text(text)
    flat, nested = (load_config(tmp_path / f"{name}.toml") for name in ("flat", "nested"))
    assert flat == nested
    assert nested.network.size == "compact"
    assert nested.representation.start == f"template:{tmp_path}/x.safetensors"
    assert nested.teacher.pairs == 100
    (tmp_path / "flat.json").write_text(json.dumps(to_flat(flat)))
    assert load_config(tmp_path / "flat.json") == flat


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('feature_weights = "sensitivity"', "feature_weights = 'sensitivity' is gone"),
        ("[representation]\nsplats = 2.5", "splats: expected int \\| null, got float"),
        ("[representation]\nslpats = 2", "unknown setting 'representation.slpats'; did you mean"),
        ("representation = [1]", "representation: must be splats or pixels"),
        ("[[data]]\nsource = 1", "data: expected str, got array"),
        ("data = [1]", "data: expected str, got array"),
        ("[optimiser]\nmax_steps = 0", "max_steps must be >= 1"),
        ("[optimiser]\nsplats = 7", r"'splats' does not belong to \[optimiser\]; move it to \[representation\]"),
        ("[optimizer]\nmax_steps = 7", "unknown setting 'optimizer'; did you mean 'optimiser'"),
        ("[model]\nsize = 'tiny'", "unknown setting 'model'.* and the tables data, representation"),
        ("max_steps = 3\n[optimiser]\nmax_steps = 7", "'max_steps' is set twice"),
    ],
)
def test_bad_parts_are_refused(tmp_path, text, complaint):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError, match=rf"bad\.toml: .*{complaint}"):
        load_config(tmp_path / "bad.toml")


@pytest.mark.parametrize("content", ["[1]", "3", "null", '"x"'])
def test_files_that_are_no_table_are_refused(tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(InputError, match=r"bad\.json: must be a table of settings"):
        load_config(tmp_path / "bad.json")


def test_an_unknown_network_is_refused_before_the_images_are_looked_for():
    with pytest.raises(InputError, match="unknown network size 'huge'"):
        load_training_set(with_settings(TrainConfig(), data="nowhere", network="huge"), None)
