"""The canvas: sizes, and where its pixels lie."""

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import pixel_centers
from gaussiandiffusion.splats import Canvas


@pytest.mark.parametrize("canvas", [Canvas(8, 8), Canvas(3, 11), Canvas(9, 2), Canvas(1, 1)])
def test_pixels_are_square_centred_and_span_two_units_on_the_longer_side(canvas):
    centers = pixel_centers(canvas, dtype=torch.float64)
    torch.testing.assert_close(centers.mean((0, 1)), torch.zeros(2, dtype=torch.float64))
    pixel = 1 / canvas.pixels_per_unit
    assert pixel * canvas.longer_side == pytest.approx(2)
    for axis, steps in ((0, centers.diff(dim=1)[..., 0]), (1, centers.diff(dim=0)[..., 1])):
        torch.testing.assert_close(steps, torch.full_like(steps, pixel), msg=f"axis {axis}")


def test_a_whole_number_is_the_longer_side_and_keeps_the_aspect():
    assert Canvas(10, 20, 3).resized(60) == Canvas(30, 60, 3)
    assert Canvas(20, 10).resized(60) == Canvas(60, 30)
    assert Canvas(1, 100).resized(10) == Canvas(1, 10)  # no side vanishes
    assert Canvas(10, 20).resized((7, 9)) == Canvas(7, 9)
    assert Canvas(10, 20).resized(None) == Canvas(10, 20)


@pytest.mark.parametrize("values", [(0, 4, 1), (4, -1, 1), (4, 4, 2), (4, 4, 0)])
def test_empty_canvases_and_odd_channels_are_refused(values):
    with pytest.raises(InputError):
        Canvas(*values)
