"""The trainer: exact resume, signals, what it leaves behind."""

import copy
import json
import os
import signal
import threading
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from gaussiandiffusion.data import load_images
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.training import checkpoint
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer

WEIGHTS = "pipeline/denoiser/diffusion_pytorch_model.safetensors"


LIVE = {"encode": "live", "augment": {"flip": True, "shift": 0.5}, "render_goal": "images"}


@pytest.fixture(scope="module", params=[{}, LIVE], ids=["once", "live"])
def config(request, stroke_file):
    config = with_settings(
        TrainConfig(),
        data=str(stroke_file), splats=8, iterations=10, network="tiny", max_steps=8, batch_size=16, accumulation=2,
        render_weight=1.0, log_every=1, sample_every=100, checkpoint_every=3, warmup_steps=2,
        mixed_precision="no", num_inference_steps=2,
    )  # fmt: skip
    return with_settings(config, **request.param)


@pytest.fixture(scope="module")
def uninterrupted(config, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert Trainer(config, data, folder, "cpu").train()
    return folder


def losses(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"], line["grad_norm"]) for line in lines]


def train_until(config, data, folder, step, number=signal.SIGTERM, resume=False):
    """Train, and be sent a signal right after `step`."""

    def send(taken, parts):
        if taken == step:
            os.kill(os.getpid(), number)

    trainer = Trainer(config, data, folder, "cpu", on_step=send)
    return trainer.train(resume=resume)


@pytest.mark.parametrize("step", [1, 3, 5])
def test_interrupted_and_resumed_gives_the_losses_of_never_having_stopped(config, data, uninterrupted, tmp_path, step):
    assert train_until(config, data, tmp_path, step) is False
    assert not (tmp_path / "pipeline").exists()
    assert Trainer(config, data, tmp_path, "cpu").train(resume=True)
    assert losses(tmp_path) == losses(uninterrupted)
    expected, got = load_file(uninterrupted / WEIGHTS), load_file(tmp_path / WEIGHTS)
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_killed_without_warning_it_goes_on_from_the_last_checkpoint(config, data, uninterrupted, tmp_path):
    train_until(config, data, tmp_path, 5)
    checkpoint.checkpoints(tmp_path)[-1].unlink()  # as if killed before the state of step 5 was written
    assert [path.stem for path in checkpoint.checkpoints(tmp_path)] == ["step-00000003"]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')  # and in the middle of a line
    assert Trainer(config, data, tmp_path, "cpu").train(resume=True)
    assert losses(tmp_path) == losses(uninterrupted)


def test_a_truncated_checkpoint_is_passed_over_for_the_one_before(config, data, uninterrupted, tmp_path):
    train_until(config, data, tmp_path, 5)
    newest = checkpoint.checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    assert Trainer(config, data, tmp_path, "cpu").train(resume=True)
    assert losses(tmp_path) == losses(uninterrupted)


def test_ctrl_c_saves_and_is_reported_as_an_interruption(config, data, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_until(config, data, tmp_path, 2, signal.SIGINT)
    assert checkpoint.checkpoints(tmp_path)[-1].stem == "step-00000002"


def loader_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_no_loading_thread_is_left_whatever_ends_the_training(config, data, tmp_path):
    Trainer(with_settings(config, max_steps=1), data, tmp_path, "cpu").train()
    assert not loader_threads()
    with pytest.raises(KeyboardInterrupt):
        train_until(config, data, tmp_path / "stopped", 1, signal.SIGINT)
    assert not loader_threads()
    diverging = Trainer(config, data, tmp_path / "diverging", "cpu")
    diverging.work.network = lambda noisy, *_: noisy * float("nan")
    with pytest.raises((InputError, RuntimeError)):
        diverging.train()
    assert not loader_threads()


def test_a_checkpoint_from_before_a_setting_existed_is_continued_with_its_default(config, data, tmp_path):
    train_until(config, data, tmp_path, 2)
    path = tmp_path / "config.json"
    before = json.loads(path.read_text())
    for name in ("encode", "augment"):
        del before["data"][name]
    path.write_text(json.dumps(before))
    if config.data.encode == "once":
        checkpoint.check_same(tmp_path, config)
    else:
        with pytest.raises(InputError, match=r"was trained with augment\.flip = "):
            checkpoint.check_same(tmp_path, config)


def test_a_checkpoint_of_another_configuration_is_refused(config, data, uninterrupted):
    other = with_settings(config, learning_rate=0.5)
    with pytest.raises(InputError, match=r"was trained with learning_rate = 0.001, not 0.5"):
        Trainer(other, data, uninterrupted, "cpu").train(resume=True)


def test_a_checkpoint_of_another_latent_space_is_refused(config, data, uninterrupted):
    changed = replace(data, representation=copy.deepcopy(data.representation))
    changed.representation.latent_transform.mean += 0.5
    with pytest.raises(
        InputError, match="was trained in another latent space: the template, the images or the encoder"
    ):
        Trainer(config, changed, uninterrupted, "cpu").train(resume=True)


def test_the_loss_falls_and_the_pipeline_is_a_model(config, data, tmp_path):
    longer = with_settings(config, max_steps=60, accumulation=1, learning_rate=3e-3, sample_every=60)
    Trainer(longer, data, tmp_path, "cpu").train()
    history = [loss for _, loss, _ in losses(tmp_path)]
    assert sum(history[-10:]) < 0.9 * sum(history[:10])
    pipeline = GaussianDiffusionPipeline.from_pretrained(tmp_path / "pipeline")
    assert pipeline.num_classes == 3
    assert pipeline(num_samples=2).images.shape == (2, 1, 16, 16)
    assert load_file(tmp_path / WEIGHTS)["out.weight"].dtype == torch.bfloat16
    assert (tmp_path / "samples" / "00000060.png").is_file()
    assert json.loads((tmp_path / "config.json").read_text()) == longer.to_dict()
    assert list(tmp_path.glob("tensorboard/**/events*"))


def test_one_image_is_too_few(config, stroke_file):
    with pytest.raises(InputError, match="one image is too few"):
        load_training_set(with_settings(config, limit=1), None)


def test_labels_of_the_source_become_classes(data, stroke_file):
    assert data.conditions.spec.sizes == (3,)
    assert data.conditions.labels.tolist() == load_images(stroke_file).labels.tolist()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"prediction": "epsilon", "num_train_timesteps": 5, "num_inference_steps": 6},
            "steps must lie between 1 and 5",
        ),
        ({"scheduler": "ddim"}, "cannot sample a flow model"),
    ],
)
def test_samplers_that_cannot_sample_the_model_are_refused_before_training(config, data, tmp_path, changes, complaint):
    with pytest.raises(InputError, match=complaint):
        Trainer(with_settings(config, **changes), data, tmp_path, "cpu")
