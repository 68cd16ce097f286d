"""Settings from presets and files."""

import json

import pytest

from gaussiandiffusion.errors import InputError
from gaussiandiffusion.training.config import TrainConfig, load_config, presets


def test_every_preset_is_readable_and_its_template_is_there():
    assert "mnist" in presets()
    for name in presets():
        config = load_config(name)
        if config.start.startswith("template:"):
            from gaussiandiffusion.encoding.encoder import load_template

            assert load_template(config.start.removeprefix("template:")).splats.num_splats == config.splats


def test_a_saved_configuration_reads_back(tmp_path):
    config = TrainConfig(max_steps=7, prediction="epsilon", num_train_timesteps=200, limit=5)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    assert load_config(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("max_stepz = 3", "unknown setting 'max_stepz'; known are data"),
        ("max_steps = 0.5", "max_steps must be int, not 0.5"),
        ("compile = 1", "compile must be bool"),
        ('prediction = "x0"', "prediction must be"),
        ("max_steps = 0", "max_steps must be >= 1"),
        ("label_dropout = 1.0", r"label_dropout must lie in \[0, 1\)"),
        ("max_steps = = 3", "is not readable as toml"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, complaint):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_config(path)


def test_unknown_presets_are_refused_with_those_there_are():
    with pytest.raises(InputError, match="no preset or file 'minst'; presets: mnist"):
        load_config("minst")
