"""What `evaluate` is pointed at."""

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation import bundled_features, features_for, sources
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def asked(monkeypatch):
    """Splits that were asked for, of data sets that need not be there."""
    splits = []

    def load(source, *, split="train", data_dir=None, framing=None):
        splits.append(split)
        return ImageSet(np.zeros((1, 1, 2, 2), np.uint8), None, source, split)

    monkeypatch.setattr(sources, "load_images", load)
    return splits


def test_the_test_split_is_the_reference_and_the_train_split_stands_beside_it(asked):
    real, train = sources.load_real("mnist", None)
    assert (real.split, train.split) == ("test", "train")


def test_the_train_split_has_no_other_beside_it(asked):
    real, train = sources.load_real("mnist:train", None)
    assert real.split == "train"
    assert train is None
    assert asked == ["train"]


@pytest.mark.parametrize("name", bundled_features())
def test_a_data_set_finds_its_own_features(name):
    assert features_for(name) == name


def test_other_images_need_features_named():
    with pytest.raises(InputError, match=r"photos: .*--features self to learn .* one of .*mnist.*inception"):
        features_for("photos")
