"""Affine maps of sets, whole and in part; stacking and leaving out."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import accumulate
from gaussiandiffusion.splats import Canvas, Splats


def double(make_splats, **kwargs):
    return make_splats(dtype=torch.float64, **kwargs)


def assert_same(a, b, atol):
    for name, value in a.tensors().items():
        torch.testing.assert_close(value, b.tensors()[name], rtol=0, atol=atol, msg=name)


def test_an_affine_map_moves_means_as_points_and_covariances_as_forms(make_splats):
    splats = double(make_splats)
    matrix = torch.tensor([[1.2, -0.4], [0.3, 0.7]], dtype=torch.float64)
    offset = torch.tensor([0.1, -0.2], dtype=torch.float64)
    moved = splats.affine(matrix, offset, about=(0.3, -0.1))
    centre = torch.tensor([0.3, -0.1], dtype=torch.float64)
    expected = torch.einsum("ij,nkj->nki", matrix, splats.means - centre) + centre + offset
    torch.testing.assert_close(moved.means, expected)
    torch.testing.assert_close(moved.covariances, matrix @ splats.covariances @ matrix.T)
    assert torch.equal(moved.colors, splats.colors)


def test_maps_compose(make_splats):
    splats = double(make_splats)
    first, second = (torch.tensor(m, dtype=torch.float64) for m in ([[1.1, 0.2], [0, 0.8]], [[0.5, -1], [1, 0.6]]))
    twice = splats.affine(first, about=(0, 0)).affine(second, about=(0, 0))
    # float64 through two square roots each way.
    assert_same(twice, splats.affine(second @ first, about=(0, 0)), 1e-12)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    angles=st.tuples(st.floats(-720, 720), st.floats(-720, 720)),
    ratio=st.floats(0, 2),
    rho=st.floats(-0.9, 0.9),
)
def test_angles_add_and_a_full_turn_is_none(angles, ratio, rho):
    sigmas = torch.tensor([[[0.3, 0.3 * 10**-ratio]]], dtype=torch.float64)
    rhos = torch.tensor([[rho]], dtype=torch.float64)
    color = torch.ones(1, 1, 1, dtype=torch.float64)
    splats = Splats(torch.full((1, 1, 2), 0.4, dtype=torch.float64), sigmas, rhos, color, Canvas(4, 4))
    twice = splats.rotate(angles[0], about=(0, 0)).rotate(angles[1], about=(0, 0))
    # A thin axis is up to 1e-4 of the covariance's largest entry, so rounding of 1e-16 grows to about 1e-11.
    assert_same(twice, splats.rotate(sum(angles), about=(0, 0)), 1e-9)
    assert_same(splats.rotate(360), splats, 1e-9)


def test_a_selection_is_mapped_as_if_it_were_alone(make_splats):
    splats = double(make_splats, k=6)
    where = torch.tensor([[True, False, True, True, False, False]]).expand(2, 6)
    edits = [
        lambda s, **kw: s.rotate(33, **kw),
        lambda s, **kw: s.scale((1.5, -0.5), **kw),
        lambda s, **kw: s.translate(0.2, -0.1, **kw),
        lambda s, **kw: s.affine(torch.tensor([[1.0, 0.5], [0.0, 1.0]]), **kw),
    ]
    for edit in edits:
        part, alone = edit(splats, where=where), edit(splats.select(where[0]))
        assert_same(part.select(where[0]), alone, 1e-12)
        assert_same(part.select(~where[0]), splats.select(~where[0]), 0)


def test_selections_may_differ_from_set_to_set_and_be_empty(make_splats):
    splats = double(make_splats, k=4)
    where = torch.tensor([[True, True, False, False], [False, False, False, False]])
    turned = splats.rotate(90, where=where).validate()
    assert_same(turned[1], splats[1], 0)
    torch.testing.assert_close(turned.means[0, :2].mean(0), splats.means[0, :2].mean(0))


@pytest.mark.parametrize("factor", [0.25, 3.0, -1.0, (2.0, 0.5), (-1.0, 1.0), (1.0, -2.0)])
def test_scaling_scales_deviations_and_mirroring_turns_the_correlation(make_splats, factor):
    splats = double(make_splats)
    x, y = factor if isinstance(factor, tuple) else (factor, factor)
    scaled = splats.scale(factor, about=(0, 0))
    both = torch.tensor([x, y], dtype=torch.float64)
    torch.testing.assert_close(scaled.means, splats.means * both)
    torch.testing.assert_close(scaled.sigmas, splats.sigmas * both.abs())
    torch.testing.assert_close(scaled.rhos, splats.rhos * math.copysign(1, x * y))


def test_very_thin_splats_stay_valid_whatever_way_they_turn():
    count = 5000
    g = torch.Generator().manual_seed(0)
    sigmas = torch.stack([torch.full((1, count), 0.5), 10 ** (-5 * torch.rand(1, count, generator=g))], -1)
    zeros = torch.zeros(1, count)
    splats = Splats(torch.zeros(1, count, 2), sigmas, zeros, torch.ones(1, count, 1), Canvas(8, 8))
    for degrees in (1, 30, 45, 88):
        splats.rotate(degrees).validate().rotate(-degrees).validate()


def test_leaving_all_out_leaves_the_background(make_splats):
    background = torch.rand(2, 3)
    for blending, backends in (("sum", ("reference", "cpu")), ("alpha", ("reference",))):
        nothing = make_splats(channels=3, background=background, blending=blending).select([])
        assert (len(nothing), nothing.num_splats) == (2, 0)
        for backend in backends:
            picture = accumulate(nothing, backend=backend)
            assert torch.equal(picture, background[..., None, None].expand(2, 3, 12, 17))


def test_sets_with_and_without_opacities_are_not_stacked(make_splats):
    plain, faint = make_splats(n=1), make_splats(n=1, opacities=torch.rand(1, 9))
    for pair in ([plain, faint], [faint, plain]):
        with pytest.raises(InputError, match="cannot be stacked"):
            Splats.cat(pair)
    assert Splats.cat([faint, faint]).opacities.shape == (2, 9)


@pytest.mark.parametrize("rule", [{"blending": "multiply"}, {"output": "hard"}])
@pytest.mark.usefixtures("unchecked")
def test_unknown_drawing_rules_are_refused(make_splats, rule):
    with pytest.raises(InputError, match=r"unknown (blending|output)"):
        make_splats(**rule)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(wrong, make_splats):
    splats = make_splats(channels=3)
    for edit in (
        lambda: splats.translate(0, wrong),
        lambda: splats.rotate(wrong),
        lambda: splats.rotate(5, about=(wrong, 0)),
        lambda: splats.scale(wrong),
        lambda: splats.scale((1, wrong)),
        lambda: splats.shear(wrong),
        lambda: splats.flip(about=(wrong, 0)),
        lambda: splats.recolor(wrong),
        lambda: splats.recolor(brightness=wrong),
    ):
        with pytest.raises(InputError, match="must be finite"):
            edit()
