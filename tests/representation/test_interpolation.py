"""Sets between sets: the ends, the way between them, and what has none."""

from dataclasses import replace

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render
from gaussiandiffusion.representation.interpolation import between


@pytest.fixture
def pair(make_splats):
    return make_splats(3, seed=1, channels=3), make_splats(3, seed=2, channels=3)


def test_the_ends_are_the_sets_themselves(pair):
    first, second = pair
    for share, end in ((0.0, first), (1.0, second)):
        made = between(first, second, torch.full((3,), share))
        torch.testing.assert_close(render(made), render(end), atol=1e-4, rtol=0)  # a logarithm and back, in float32


def test_the_way_back_is_the_same_way(pair):
    first, second = pair
    share = torch.tensor([0.2, 0.5, 0.9])
    there, back = between(first, second, share), between(second, first, 1 - share)
    for name, value in there.tensors().items():
        torch.testing.assert_close(value, back.tensors()[name], atol=1e-5, rtol=1e-4)


def test_what_moves_is_half_way_at_half_and_keeps_its_form(make_splats):
    first = make_splats(2, dtype=torch.float64)
    made = between(first, first.translate(0.4, -0.2), torch.full((2,), 0.5))
    for name, value in first.translate(0.2, -0.1).tensors().items():
        torch.testing.assert_close(made.tensors()[name], value)


def test_areas_are_between_in_their_logarithms(pair):
    first, second = (splats.to(torch.float64) for splats in pair)
    area = lambda splats: splats.covariances.det().log()  # noqa: E731 (shorthand)
    made = between(first, second, torch.full((3,), 0.25))
    torch.testing.assert_close(area(made), 0.75 * area(first) + 0.25 * area(second))


def test_sets_that_do_not_belong_together_are_refused(pair, make_splats):
    first, second = pair
    share = torch.zeros(3)
    for other in (make_splats(3, k=4, channels=3), make_splats(3, height=9, channels=3), make_splats(2, channels=3),
                  replace(second, blending="alpha")):  # fmt: skip
        with pytest.raises(InputError, match="nothing between them"):
            between(first, other, share)
