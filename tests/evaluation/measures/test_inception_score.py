"""The inception score of verdicts whose score is known."""

import math

import pytest
import torch
from torch import nn

from gaussiandiffusion.evaluation import inception_score
from gaussiandiffusion.evaluation.measures.inception_score import class_logits
from gaussiandiffusion.ground.errors import InputError


def test_sure_verdicts_over_equally_likely_classes_score_their_number():
    logits = 100 * torch.eye(7)[torch.arange(70) % 7]
    assert inception_score(logits) == pytest.approx(7, rel=1e-9)


def test_verdicts_that_are_all_alike_score_one():
    assert inception_score(torch.zeros(50, 10)) == pytest.approx(1, abs=1e-12)
    assert inception_score(100 * torch.eye(10)[torch.zeros(50, dtype=torch.long)]) == pytest.approx(1, abs=1e-9)


def test_half_sure_verdicts_score_the_closed_form():
    """p = 3/4 for one of two classes, in turn: KL = log 2 - entropy."""
    logits = torch.tensor([[0.75, 0.25], [0.25, 0.75]]).log().repeat(10, 1)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert inception_score(logits) == pytest.approx(2 * math.exp(-entropy), rel=1e-6)


def test_logits_come_from_the_features_of_networks_that_can_classify(pixel_space):
    assert class_logits(pixel_space.network, torch.rand(3, 4)) is None
    network = nn.Module()
    network.classify_head = nn.Linear(4, 2)
    features = torch.rand(3, 4)
    assert torch.equal(class_logits(network, features), network.classify_head(features))


@pytest.mark.parametrize("logits", [torch.zeros(0, 10), torch.zeros(5, 10, dtype=torch.int64)])
@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused(logits):
    with pytest.raises(InputError, match="floating-point logits"):
        inception_score(logits)
