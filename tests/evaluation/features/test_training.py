"""The classifier's training script, end to end on a task that is learned in seconds."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
import tyro

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.data.affine import AffineRange, random_affine
from gaussiandiffusion.evaluation import label_accuracy, load_features
from gaussiandiffusion.evaluation.features import training as classifier
from gaussiandiffusion.evaluation.features.classifier import train_classifier
from gaussiandiffusion.evaluation.features.recipes import ClassifierConfig, command_line
from gaussiandiffusion.ground.errors import InputError

STILL = AffineRange(rotation=0, shift=0, log_scale=0, shear=0)


def bars(count: int, seed: int) -> ImageSet:
    """Noise with a bright bar: lying (0), standing (1) or none (2)."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 120, (count, 1, 12, 12), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % 3
    images[labels == 0, :, 5:7, 2:10] = 230
    images[labels == 1, :, 2:10, 5:7] = 230
    return ImageSet.labelled(images, labels, name="bars", split="train")


@pytest.fixture
def config(tmp_path) -> ClassifierConfig:
    return ClassifierConfig("bars", tmp_path / "model", epochs=6, batch_size=32, width=4, num_features=8, ema_decay=0.9)


@pytest.fixture
def source(monkeypatch):
    """`load_images` gives the bars, other ones for the test split."""
    sets = {"train": bars(480, 0), "test": replace(bars(120, 1), split="test")}
    monkeypatch.setattr(classifier, "load_images", lambda name, *, split, data_dir, limit: sets[split])
    return sets


def test_the_script_learns_and_writes_what_it_measured(source, config):
    record = classifier.main(config)
    assert record["epoch_losses"][-1] < 0.8 * record["epoch_losses"][0]
    assert record["test_accuracy"] > 0.8  # chance: one third

    space = load_features(config.out)
    test = source["test"]
    assert label_accuracy(space.network, test.images, test.labels) == record["test_accuracy"]
    assert space.dimension == 8
    assert json.loads((config.out / "training.json").read_text()) == record
    card = (config.out / "README.md").read_text()
    assert record["command"] in card
    assert f"{100 * record['test_accuracy']:.2f} %" in card
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in config.out.iterdir())


def test_the_model_folder_names_no_place(source, config, tmp_path):
    classifier.main(replace(config, epochs=1, data_dir=tmp_path, source=str(tmp_path / "bars")))
    for path in config.out.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()


def test_a_seed_decides_everything(config):
    data = bars(96, 0)
    short = replace(config, epochs=1)
    torch.manual_seed(1)
    first = train_classifier(data.images, data.conditions, short).state_dict()
    torch.manual_seed(2)
    second = train_classifier(data.images, data.conditions, short).state_dict()
    other = train_classifier(data.images, data.conditions, replace(short, seed=1)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["embed.weight"], other["embed.weight"])


def test_training_leaves_the_global_generator_alone(config):
    data = bars(32, 0)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    train_classifier(data.images, data.conditions, replace(config, epochs=1))
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_command_in_the_card_is_the_command_that_was_run(config, tmp_path):
    config = replace(config, data_dir=tmp_path, seed=5, affine=AffineRange(rotation=3.0))
    words = [str(tmp_path) if word == "DIR" else word for word in shlex.split(command_line(config))]
    assert words[:3] == ["python", "-m", "gaussiandiffusion.evaluation.features.training"]
    assert tyro.cli(ClassifierConfig, args=words[3:]) == replace(config, out=tmp_path)


@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused(source, config):
    data = bars(32, 0)
    with pytest.raises(InputError, match="square"):
        train_classifier(data.images[:, :, :10], data.conditions, config)
    with pytest.raises(InputError, match="one label for each"):
        train_classifier(data.images, data.conditions.take(slice(5)), config)
    source["train"] = replace(source["train"], conditions=None)
    with pytest.raises(InputError, match="has no labels"):
        classifier.main(config)
    config.out.write_text("")
    source["train"] = data
    with pytest.raises(InputError, match="is a file"):
        classifier.main(config)
    with pytest.raises(InputError, match="at least 1"):
        replace(config, epochs=0)


def test_no_motion_leaves_images_as_they_are():
    images = torch.rand(3, 2, 9, 9)
    torch.testing.assert_close(random_affine(images, STILL, torch.Generator()), images, atol=1e-5, rtol=0)


def test_a_shift_is_a_fraction_of_the_side():
    """A dot in a 20-pixel image, moved by at most a tenth of the side, stays within two pixels."""
    images = torch.zeros(200, 1, 20, 20)
    images[:, :, 10, 10] = 1
    moved = random_affine(images, replace(STILL, shift=0.1), torch.Generator().manual_seed(0))
    mass = moved.sum(dim=(0, 1))
    where = mass.nonzero()
    assert where.min() >= 8
    assert where.max() <= 12
    assert mass[8:13, 8:13].min() > 0
