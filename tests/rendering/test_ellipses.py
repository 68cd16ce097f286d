"""Outlines of splats lie where the splats are."""

import math

import pytest
import torch

from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.ellipses import draw_ellipses, slot_colors
from gaussiandiffusion.rendering.grid import pixel_centers
from gaussiandiffusion.splats import Canvas, Splats

SQUARE = Canvas(28, 28, 1)


def one(sigmas=(0.4, 0.1), rho=0.6, color=0.9, mean=(0.1, -0.2), canvas=SQUARE):
    return Splats(
        torch.tensor([[mean]]), torch.tensor([[sigmas]]), torch.tensor([[rho]]), torch.tensor([[[color]]]), canvas
    )


@pytest.mark.parametrize("splats", [one(), one((0.2, 0.5), -0.9), one(canvas=Canvas(20, 40, 1))])
@pytest.mark.parametrize("size", [64, 257])
def test_a_line_goes_where_the_gaussian_is_one_sigma_from_its_mean(splats, size):
    black = torch.zeros(1, 1, *(splats.canvas.resized(size).height, splats.canvas.resized(size).width)).byte()
    drawn = draw_ellipses(black, splats)
    lit = drawn[0].amax(0) > 100
    offset = pixel_centers(splats.canvas.resized(size)) - splats.means[0, 0]
    distance = (offset @ torch.linalg.inv(splats.covariances[0, 0]) * offset).sum(-1).sqrt()
    pixel = 2 / size / float(torch.linalg.eigvalsh(splats.covariances[0, 0])[0].sqrt())  # in the thinnest sigma
    assert lit.sum() > 20
    assert ((distance[lit] - 1).abs() < 1.3 * pixel).all()
    assert lit[(distance - 1).abs() < 0.1 * pixel].all()


def test_the_picture_stays_inside_and_outside_and_the_line_has_its_slots_colour():
    splats = one()
    picture = to_uint8(render(splats, 64))
    drawn = draw_ellipses(picture, splats)
    changed = (drawn != picture).any(1)[0]
    assert 0.02 < changed.float().mean() < 0.2
    assert torch.equal(drawn[0, :, ~changed], picture[0].expand(3, -1, -1)[:, ~changed])
    red = torch.tensor(255 * slot_colors(1)[0])
    strongest = drawn[0].permute(1, 2, 0)[changed].float()
    assert (strongest - red).abs().amax(-1).min() < 30  # the line is as opaque as the splat is bright
    assert torch.equal(picture, to_uint8(render(splats, 64)))  # and the given picture is as it was


def test_what_cannot_be_seen_has_no_line_and_what_is_outside_is_no_error():
    black = torch.zeros(1, 3, 9, 9).byte()
    for splats in (one(color=0.0), one(mean=(5.0, 5.0), sigmas=(0.1, 0.1), rho=0.0)):
        assert torch.equal(draw_ellipses(black, splats), black)
    assert draw_ellipses(torch.zeros(1, 1, 1, 1).byte(), one(canvas=Canvas(1, 1, 1))).shape == (1, 3, 1, 1)


def test_moving_a_splat_by_a_pixel_moves_its_line_by_a_pixel():
    splats = one(sigmas=(0.2, 0.1))
    black = torch.zeros(1, 1, 64, 64).byte()
    before, after = (draw_ellipses(black, each) for each in (splats, splats.translate(2 / 64, 0)))
    assert (after[..., 1:].int() - before[..., :-1].int()).abs().max() <= 1
    assert math.isclose(before.float().sum(), after.float().sum(), rel_tol=1e-3)
