"""Samples that share noise, and models that know which values come together."""

import json

import numpy as np
import pytest
import torch
from walkers import WALKER, walker

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.pipeline.index import read_conditions
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import _conditions

ASKED = {"hair": "red", "action": "walk", "direction": "left", "frame": "1"}


@pytest.fixture(scope="module")
def model():
    return walker()


def test_samples_with_the_noise_of_others_are_those(model):
    out = model(20, conditions=ASKED, seed=3)
    again = model(20, conditions=ASKED, seed=3, noise_samples=list(range(20)))
    assert torch.equal(again.images, out.images)
    mixed = model(11, conditions=ASKED, seed=3, noise_samples=[19, 0, 0, 4, 7, 1, 1, 12, 0, 19, 2])
    assert torch.equal(mixed.images, out.images[[19, 0, 0, 4, 7, 1, 1, 12, 0, 19, 2]])


def test_of_one_noise_only_what_is_asked_makes_a_difference(model):
    frames = {**ASKED, "frame": ["0", "1", "1"]}
    shared = model(3, conditions=frames, noise_samples=[5, 5, 5]).images
    assert torch.equal(shared[1], shared[2])
    assert not torch.equal(shared[0], shared[1])
    own = model(3, conditions=frames).images
    assert not torch.equal(own[1], own[2])


@pytest.mark.parametrize(("numbers", "complaint"), [([0, 1], "2 noise_samples were given for 3"), ([0, -1, 2], ">= 0")])
def test_noise_of_no_sample_is_refused(model, numbers, complaint):
    with pytest.raises(InputError, match=complaint):
        model(3, conditions=ASKED, noise_samples=numbers)


def test_what_never_comes_together_is_kept_with_the_model(model, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = GaussianDiffusion.from_pretrained(tmp_path)
    assert loaded.condition_spec == model.condition_spec == read_conditions(tmp_path) == WALKER
    assert torch.equal(loaded(9, seed=1).images, model(9, seed=1).images)
    words = loaded(64).conditions.words()
    assert ("slash", "3") not in set(zip(words["action"], words["frame"], strict=True))


def test_a_model_that_does_not_record_it_draws_as_before(model, tmp_path):
    plain = ConditionSpec(WALKER.attributes)
    old = walker(plain)
    assert old.config.absent is None
    words = old(64).conditions.words()
    assert ("slash", "3") in set(zip(words["action"], words["frame"], strict=True))
    old.save_pretrained(tmp_path)
    index = json.loads((tmp_path / "model_index.json").read_text())
    del index["absent"]  # as folders of before are
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    assert GaussianDiffusion.from_pretrained(tmp_path)(64).conditions.words() == words


@pytest.mark.parametrize("absent", [{"action": {"slash": {"frame": ["9"]}}}, {"action": ["slash"]}, 3])
def test_a_damaged_record_is_refused(model, tmp_path, absent):
    model.save_pretrained(tmp_path)
    path = tmp_path / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"absent": absent}))
    for read in (GaussianDiffusion.from_pretrained, read_conditions):
        with pytest.raises(InputError, match=str(tmp_path)):
            read(tmp_path)


def test_training_records_what_its_set_lacks():
    rows = [[hair, action, way, frame] for hair in (0, 1) for action in (0, 1) for way in (0, 1)
            for frame in range(4 - action)]  # fmt: skip
    columns = ConditionColumns(ConditionSpec(WALKER.attributes), np.array(rows, np.int64))
    images = ImageSet(np.zeros((len(rows), 3, 8, 8), np.uint8), columns, "walkers")
    assert _conditions(images, TrainConfig()).spec == WALKER
