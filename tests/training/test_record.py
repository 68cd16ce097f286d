"""What a training keeps beside its model: snapshots, and the record of its cost."""

import json
import os
import signal

import pytest

from gaussiandiffusion.evaluation.cost.flops import parameter_count
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), representation="pixels", patch=4, network="tiny", max_steps=5, batch_size=16,
        accumulation=2, log_every=2, sample_every=1000, checkpoint_every=1000, snapshot_every=2, warmup_steps=2,
        mixed_precision="no", num_inference_steps=2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(config, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    trainer = Trainer(config, data, folder, "cpu")
    assert trainer.train()
    return trainer, json.loads((folder / "training.json").read_text())


def names(folder):
    return sorted(path.name for path in (folder / "snapshots").glob("*"))


def test_snapshots_are_pipelines_and_a_training_that_overwrites_clears_them(config, data, trained, tmp_path):
    trainer, _ = trained
    assert names(trainer.output_dir) == ["step-00000002", "step-00000004"]
    pictures = [
        GaussianDiffusionPipeline.from_pretrained(folder)(num_samples=1).images
        for folder in (*sorted((trainer.output_dir / "snapshots").iterdir()), trainer.output_dir / "pipeline")
    ]
    assert not (pictures[0] == pictures[1]).all()
    assert not (pictures[1] == pictures[2]).all()
    assert Trainer(with_settings(config, max_steps=2), data, tmp_path, "cpu").train()
    assert names(tmp_path) == ["step-00000002"]
    assert Trainer(with_settings(config, max_steps=1), data, tmp_path, "cpu").train(overwrite=True)
    assert names(tmp_path) == []


def test_the_record_tells_settings_and_cost(trained):
    trainer, record = trained
    assert record["config"] == json.loads((trainer.output_dir / "config.json").read_text())
    assert record["representation"] == {"kind": "pixels", "patch": 4, "latent_shape": [16, 16]}
    assert record["encoding_psnr_train_mean"] is record["budget_seconds_per_step"] is None
    assert record["parameters"] == parameter_count(trainer.model)
    assert (record["steps"], record["samples_seen"]) == (5, 5 * 2 * 16)
    assert record["flops"] == record["flops_per_sample"] * record["samples_seen"] > 0
    assert record["machine"]["cpus"] >= 1
    assert "torch" in record["versions"]


def test_the_clock_is_the_logs(trained):
    trainer, record = trained
    lines = [json.loads(line) for line in (trainer.output_dir / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 5]  # the last step, too, though it fills no interval
    rates = [line["samples_per_second"] for line in lines]
    seconds = sum(steps * 32 / rate for steps, rate in zip((2, 2, 1), rates, strict=True))
    assert record["seconds"] == pytest.approx(seconds)
    assert record["samples_per_second_median"] == sorted(rates)[1]


def test_an_interrupted_training_has_the_same_record(config, data, trained, tmp_path):
    _, whole = trained

    def send(step, parts):
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    assert Trainer(config, data, tmp_path, "cpu", on_step=send).train() is False
    assert not (tmp_path / "training.json").exists()
    finer = with_settings(config, log_every=1)  # may change when a training goes on
    assert Trainer(finer, data, tmp_path, "cpu").train(resume=True)
    record = json.loads((tmp_path / "training.json").read_text())
    timed = ("seconds", "samples_per_second_median", "config")
    assert {name: record[name] for name in record if name not in timed} == {
        name: whole[name] for name in whole if name not in timed
    }
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 5]
    spent = zip((2, 2, 1), (line["samples_per_second"] for line in lines), strict=True)
    assert record["seconds"] == pytest.approx(sum(steps * 32 / rate for steps, rate in spent))


def test_a_set_smaller_than_a_batch_is_counted_as_it_is_seen(config, tmp_path):
    small = with_settings(config, limit=6, max_steps=1, accumulation=1)
    assert Trainer(small, load_training_set(small, None), tmp_path, "cpu").train()
    assert json.loads((tmp_path / "training.json").read_text())["samples_seen"] == 6


def test_the_averaged_model_is_exported_in_files_of_limited_size(config, data, tmp_path):
    plain = with_settings(config, max_steps=2)
    assert Trainer(plain, data, tmp_path / "whole", "cpu").train()
    assert Trainer(with_settings(plain, shard_size=0.25), data, tmp_path / "shards", "cpu").train()
    for folder in (tmp_path / "shards" / "pipeline", tmp_path / "shards" / "snapshots" / "step-00000002"):
        files = list((folder / "denoiser").glob("*-of-*.safetensors"))
        assert len(files) > 1
        assert max(path.stat().st_size for path in files) <= 0.25 * 2**20
        shards, whole = map(GaussianDiffusionPipeline.from_pretrained, (folder, tmp_path / "whole" / "pipeline"))
        assert (shards(num_samples=1).images == whole(num_samples=1).images).all()
    again = with_settings(plain, shard_size=0.1, max_steps=1)  # exported at any time: nothing is left to do
    assert Trainer(again, data, tmp_path / "shards", "cpu").train(resume=True)
    sizes = [path.stat().st_size for path in (tmp_path / "shards" / "pipeline" / "denoiser").glob("*.safetensors")]
    assert max(sizes) <= 0.1 * 2**20
    with pytest.raises(InputError, match=r"shard_size must lie in \[0, "):
        with_settings(config, shard_size=-1.0)
