"""What is told of a training's length before it begins."""

import pytest

from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.estimate import Estimate, estimate
from gaussiandiffusion.training.latents import load_training_images
from gaussiandiffusion.training.presets import with_settings


def test_parts_are_told_in_minutes_and_long_ones_in_hours():
    assert Estimate(30, 18, 600).words() == "about 11 minutes on this machine: template 0.5, encoding 0.3, training 10"
    assert Estimate(None, 1, 90).words() == "about 1.5 minutes on this machine: encoding 0.1, training 1.5"
    assert Estimate(None, None, 3 * 3600).words() == "about 3.0 hours on this machine: training 3.0"
    assert Estimate(None, None, 600).words(5).endswith("training 10 (to be stopped after 5 minutes)")
    assert Estimate(None, None, 600).words(20).endswith("training 10")


@pytest.fixture
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), splats=4, iterations=2, network="tiny", batch_size=8, mixed_precision="no",
        start="template", max_steps=1000, num_inference_steps=2,
    )  # fmt: skip


def test_steps_are_timed_and_the_number_of_steps_counts(config):
    images = load_training_images(config, None)
    whole = estimate(images, config, "cpu")
    assert whole.training > 1
    assert whole.template > whole.encoding > 0
    assert estimate(images, config, "cpu", done=1.0).training == 0


def test_a_budget_is_its_own_estimate_and_pixels_are_not_encoded(config):
    images = load_training_images(config, None)
    assert estimate(images, with_settings(config, budget="3"), "cpu", done=0.5).training == 90
    pixels = with_settings(config, representation="pixels", patch=4, start="hilbert", budget="1")
    assert estimate(images, pixels, "cpu") == Estimate(None, None, 60)
