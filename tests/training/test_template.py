"""Templates that a training learns first, and K by the canvas."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding.encoder import load_template
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training import encoder
from gaussiandiffusion.training.checkpoint import check_same
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.encoder import kept_template, num_splats, splats_for, training_encoder
from gaussiandiffusion.training.latents import load_training_images, load_training_set
from gaussiandiffusion.training.presets import load_config, presets, with_settings
from gaussiandiffusion.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), splats=8, iterations=6, start="template", network="tiny", max_steps=2, batch_size=16,
        mixed_precision="no", num_inference_steps=2, log_every=1,
    )  # fmt: skip


def test_a_template_is_learned_before_encoding_kept_and_found_again(config, tmp_path, monkeypatch):
    path = tmp_path / "template.safetensors"
    data = load_training_set(config, None, template=path)
    kept = load_template(path)
    assert kept.header.source["num"] == len(data) == 48
    assert torch.equal(data.representation.template.means, kept.splats.means)
    assert data.representation.anchors is not None
    assert torch.equal(load_training_set(config, None).representation.template.means, kept.splats.means)
    monkeypatch.setattr(encoder, "learn_template", lambda *_, **__: pytest.fail("learned again"))
    again = load_training_set(config, None, template=path)
    assert torch.equal(again.latents.values, data.latents.values)


@pytest.mark.parametrize("changes", [{"splats": 9}, {"iterations": 7}, {"limit": 40}, {"seed": 1}, {"signed": True}])
def test_a_kept_template_of_other_images_or_settings_is_not_taken(config, tmp_path, changes):
    path = tmp_path / "template.safetensors"
    images = load_training_images(config, None)
    learned = training_encoder(images, config, path).template
    assert torch.equal(kept_template(images, config, path).means, learned.means)
    other = with_settings(config, **changes)
    assert kept_template(load_training_images(other, None), other, path) is None
    path.write_bytes(path.read_bytes()[:100])
    assert kept_template(images, config, path) is None
    assert torch.equal(training_encoder(images, config, path).template.means, learned.means)


def test_a_checkpoint_fits_its_own_template_only(config, tmp_path):
    data = load_training_set(config, None, template=tmp_path / "template.safetensors")
    assert Trainer(config, data, tmp_path, "cpu").train()
    check_same(tmp_path, with_settings(config, start=f"template:{tmp_path / 'template.safetensors'}", max_steps=3))
    with pytest.raises(InputError, match="was trained with start = 'template', not 'grid'"):
        check_same(tmp_path, with_settings(config, start="grid"))
    fewer = with_settings(config, max_steps=3)
    other = load_training_set(with_settings(fewer, data=str(_shifted(config, tmp_path))), None)
    with pytest.raises(InputError, match="another latent space: the template"):
        Trainer(fewer, other, tmp_path, "cpu").train(resume=True)


def _shifted(config, folder):
    images = load_training_images(config, None)
    path = folder / "shifted.npz"
    np.savez(path, images=np.roll(images.images, 3, -1), labels=images.labels)
    return path


def test_splats_grow_with_the_canvas_and_less_than_its_pixels():
    assert [splats_for(side, side, 1) for side in (1, 28, 64)] == [16, 40, 72]
    assert [splats_for(side, side, 3) for side in (28, 32, 64, 512)] == [72, 80, 128, 192]
    assert splats_for(64, 64, 4) == splats_for(32, 128, 4)


def test_splats_that_are_given_are_not_chosen(config):
    settings = config.representation
    images = ImageSet(np.zeros((2, 3, 32, 32), np.uint8))
    assert num_splats(images, settings) == 8
    assert num_splats(images, with_settings(config, splats=None).representation) == 80
    assert num_splats(images, with_settings(config, splats=None, start="template:x").representation) is None


def test_the_choice_is_told_and_may_be_left_open_when_going_on(config, tmp_path, capsys):
    chosen = with_settings(config, splats=None, start="grid")
    data = load_training_set(chosen, None)
    assert "24 splats a picture, for 16x16 grey (--splats K for others)" in capsys.readouterr().err
    assert data.representation.latent_shape[0] == 24
    assert Trainer(chosen, data, tmp_path, "cpu").train()
    check_same(tmp_path, with_settings(chosen, splats=24))
    load_training_set(config, None)
    assert "splats a picture" not in capsys.readouterr().err


def test_presets_name_their_splats_or_leave_them_to_the_canvas():
    assert load_config("folder").representation.splats is None
    assert all(load_config(name).representation.splats for name in presets() if name in ("mnist", "sprites"))
