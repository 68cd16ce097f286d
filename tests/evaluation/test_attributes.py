"""Several attributes, from a training over a gallery to the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation import FeatureSpace, evaluate
from gaussiandiffusion.evaluation.features.classifier import train_classifier
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.recipes import STILL, ClassifierConfig
from gaussiandiffusion.evaluation.features.training import command_line, parse
from gaussiandiffusion.evaluation.sources import load_generated
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.rendering.media import save_png, to_image

SPEC = ConditionSpec({"colour": ("red", "blue"), "place": ("left", "right"), "number": tuple(map(str, range(16)))})


def blocks(seed: int) -> ImageSet:
    """A red or blue block on the left or right, over noise that the number stands for: 64 pictures, each once."""
    values = np.stack(np.meshgrid(range(2), range(2), range(16), indexing="ij"), axis=-1).reshape(-1, 3)
    images = np.random.default_rng(seed).integers(0, 60, (64, 3, 12, 12), dtype=np.uint8)
    for image, (colour, place, _) in zip(images, values, strict=True):
        image[2 * colour, 3:9, 6 * place : 6 * place + 5] = 220
    return ImageSet(images, ConditionColumns(SPEC, values.astype(np.int64)), "blocks", "test")


@pytest.fixture(scope="module")
def judge() -> FeatureSpace:
    """Learned all but the number."""
    config = ClassifierConfig("blocks", Path(), epochs=30, batch_size=16, width=4, num_features=8, ema_decay=0.9,
                              affine=STILL, mixed_precision="no")  # fmt: skip
    real = blocks(0)
    network = train_classifier(real.images, real.conditions.without(["number"]), config)
    return FeatureSpace("blocks", "penultimate", network, "0" * 64)


def test_each_attribute_has_its_verdict(judge):
    real = blocks(1)
    verdicts = judge.network.classify(torch.from_numpy(real.images).float() / 255)
    assert torch.equal(verdicts, torch.from_numpy(real.conditions.values[:, :2]))


def test_the_report_tells_each_attribute_and_the_distance_to_the_true_pictures(judge):
    real = blocks(1)
    images = np.minimum(real.images, 250) + np.uint8(5)
    asked = real.conditions.values.copy()
    asked[:8, 0] = 1 - asked[:8, 0]  # asked for another colour than is shown
    generated = ImageSet(images, ConditionColumns(SPEC, asked), "made")
    report = evaluate(generated, real, features=judge)
    assert report.attribute_accuracy == {"colour": 0.875, "place": 1.0}
    assert report.label_accuracy == 0.875
    assert report.label_accuracy_real == 1.0
    assert report.inception_score is None  # of one attribute only
    assert report.paired.partners == 64
    assert report.paired.attributes == report.attribute_accuracy
    right = evaluate(replace(generated, conditions=real.conditions), real, features=judge)
    assert right.paired.psnr_mean == pytest.approx(20 * np.log10(51))
    assert right.paired.psnr_mean > report.paired.psnr_mean


@pytest.fixture
def gallery(tmp_path):
    """Writes a gallery of blocks with conditions in its record."""

    def write(conditions: dict[str, list[str | None]]) -> str:
        for i, image in enumerate(blocks(0).images[:3]):
            save_png(to_image(torch.from_numpy(image)), tmp_path / "images" / f"{i:05d}.png")
        write_json(tmp_path / "sample.json", {"num": 3, "conditions": conditions})
        return str(tmp_path)

    return write


def test_a_gallery_tells_what_was_asked(gallery):
    asked = {"colour": ["blue", "red", "blue"], "place": ["left", None, "left"]}
    images = load_generated(gallery(asked)).images
    assert images.conditions.spec.to_dict() == {"colour": ["blue", "red"]}  # what was left open says nothing
    assert images.conditions.values.tolist() == [[0], [1], [0]]


def test_a_gallery_of_another_length_is_refused(gallery):
    with pytest.raises(InputError, match="tells the colour of 2 pictures, images/ holds 3"):
        load_generated(gallery({"colour": ["red", "blue"]}))


@pytest.mark.parametrize("name", ["sprites", "cifar10"])
def test_a_data_set_has_defaults_of_its_own(name, tmp_path):
    words = [name, "--out", str(tmp_path), "--seed", "3", "--no-flip", "--crop", "1"]
    config = parse(words)
    assert (config.source, config.seed, config.flip, config.crop) == (name, 3, False, 1)
    assert config.mixed_precision == "no"
    again = command_line(config).replace("DIR", str(tmp_path)).split()[3:]
    assert parse(again) == config


def test_a_network_of_other_shape_keeps_it(tmp_path):
    network = FeatureNetwork(3, 16, channels=[6, 8], strides=[2, 2], pooling="max", num_features=8).eval()
    network.save_pretrained(tmp_path)
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(FeatureNetwork.from_pretrained(tmp_path)(images), network(images))
    for wrong in ({"strides": [2]}, {"num_features": 4}):
        with pytest.raises(InputError):
            FeatureNetwork(**{**network.config, **wrong})
