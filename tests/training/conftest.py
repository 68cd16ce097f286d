"""What tiny trainings learn from: a module gives its own `config`."""

import pytest

from gaussiandiffusion.training.latents import load_training_set


@pytest.fixture(scope="module")
def data(config):
    return load_training_set(config, None)
