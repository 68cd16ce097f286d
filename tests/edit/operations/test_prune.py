"""`prune`: what goes matters least; what stays is as it was."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.edit.operations.prune import prune
from gaussiandiffusion.encoding import FitEncoder, default_settings
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, Splats


def random_sets(n=2, k=40, channels=3, seed=0, **kwargs):
    random = torch.Generator().manual_seed(seed)
    uniform = lambda *shape: torch.rand(*shape, generator=random)  # noqa: E731 (shorthand)
    return Splats(
        uniform(n, k, 2) * 2 - 1,
        uniform(n, k, 2) * 0.2 + 0.02,
        uniform(n, k) - 0.5,
        uniform(n, k, channels) * 0.4,
        Canvas(24, 32, channels),
        **kwargs,
    )


@pytest.fixture(scope="module")
def fitted():
    y, x = np.mgrid[:48, :48] / 8
    image = (128 + 60 * np.sin(x * x) + 60 * np.cos(3 * y))[None, None].clip(0, 255).astype(np.uint8)
    return FitEncoder(default_settings(1, num_splats=90, iterations=60)).encode(image).splats


def psnr(a, b):
    return float(-10 * torch.log10((render(a) - render(b)).square().mean()))


def test_splats_without_colour_go_first_and_nothing_is_lost():
    sets = random_sets()
    idle = torch.zeros(2, 40, dtype=torch.bool)
    idle[:, [3, 11, 12, 30]] = True
    sets.colors[idle] = 0
    pruned = prune(sets, keep=36)
    for name, value in sets.tensors().items():
        if name != "background":
            assert torch.equal(getattr(pruned, name), value[~idle].unflatten(0, (2, 36))), name
    assert torch.equal(render(pruned), render(sets))


def test_it_is_far_better_than_dropping_any(fitted):
    anyhow = [fitted.select(torch.randperm(90, generator=torch.Generator().manual_seed(i))[:80]) for i in range(5)]
    assert psnr(prune(fitted, keep=80), fitted) > max(psnr(other, fitted) for other in anyhow) + 6


def test_the_more_stay_the_better(fitted):
    found = [psnr(prune(fitted, keep=keep), fitted) for keep in (20, 45, 70, 85)]
    assert found == sorted(found)


@pytest.mark.parametrize("db", [20.0, 35.0])
def test_a_psnr_is_kept_with_hardly_a_splat_too_many(fitted, db):
    pruned = prune(fitted, db=db)
    assert pruned.num_splats < 90
    assert psnr(pruned, fitted) >= db
    assert psnr(prune(fitted, keep=pruned.num_splats - 3), fitted) < db + 0.5


@pytest.mark.parametrize("kwargs", [{}, {"blending": "alpha"}, {"output": "soft"}, {"opacities": True}])
def test_sets_that_keep_fewer_are_filled_up_with_what_draws_nothing(kwargs):
    if kwargs.get("opacities"):
        kwargs = {"opacities": torch.linspace(0, 1, 80).reshape(2, 40)}
    sets = random_sets(**kwargs)
    sets.colors[0, ::2] *= 0.02
    pruned = prune(sets, db=30.0)
    for i in (0, 1):
        assert psnr(pruned[i], sets[i]) >= 30.0
    alone = prune(sets[0], db=30.0)
    assert alone.num_splats <= pruned.num_splats
    assert psnr(alone, pruned[0]) > 100 or torch.equal(render(alone), render(pruned[0]))


def test_only_what_is_selected_goes():
    sets = random_sets()
    where = torch.arange(40).expand(2, 40) < 10
    pruned = prune(sets, keep=32, where=where)
    assert torch.equal(pruned.means[:, -30:], sets.means[:, 10:])
    assert prune(sets, db=1.0, where=where).num_splats == 30


def test_what_lies_beyond_the_canvas_is_worth_nothing():
    sets = random_sets(n=1)
    away = sets.translate(10, 0, where=torch.arange(40)[None] < 7)
    assert torch.equal(prune(away, keep=33).means, away.means[:, 7:])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "exactly one"),
        ({"keep": 3, "db": 30.0}, "exactly one"),
        ({"keep": 0}, "between 1 and the 40"),
        ({"keep": 41}, "between 1 and the 40"),
        ({"db": -1.0}, "above 0"),
        ({"db": float("nan")}, "above 0"),
        ({"keep": 10, "where": torch.zeros(2, 40, dtype=torch.bool)}, "keep at least 40"),
    ],
)
def test_what_cannot_be_pruned_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        prune(random_sets(), **values)
