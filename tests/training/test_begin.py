"""Trainings that go on from a trained model's weights."""

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(), data=str(stroke_file), splats=8, iterations=10, network="tiny", max_steps=4, batch_size=16,
        sample_every=100, warmup_steps=2, mixed_precision="no",
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(config, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    assert Trainer(config, data, folder, "cpu").train()
    return folder / "pipeline"


def test_it_begins_with_the_averaged_weights_and_not_with_new_ones(config, data, trained, tmp_path):
    saved = GaussianDiffusion.from_pretrained(trained).denoiser.state_dict()
    trainer = Trainer(with_settings(config, begin=str(trained)), data, tmp_path, "cpu")
    assert all(torch.equal(value, saved[name]) for name, value in trainer.model.state_dict().items())
    fresh = Trainer(config, data, tmp_path, "cpu").model.state_dict()
    assert not all(torch.equal(value, saved[name]) for name, value in fresh.items())
    assert trainer.train()
    weights = trainer.model.state_dict()
    assert not all(torch.equal(value, saved[name]) for name, value in weights.items())


def test_another_network_is_refused_and_told_apart(config, data, trained, tmp_path):
    with pytest.raises(InputError, match=r"another network .*width"):
        Trainer(with_settings(config, begin=str(trained), network="compact"), data, tmp_path, "cpu")
    with pytest.raises(InputError, match="no model"):
        Trainer(with_settings(config, begin=str(tmp_path / "no-such")), data, tmp_path, "cpu")
