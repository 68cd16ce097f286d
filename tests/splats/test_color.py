"""Colours in other spaces."""

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats.color import from_hsv, lab_distance, parse_color, recolored, seen, to_hsv, to_lab


def test_lab_of_known_colours():
    # CIELAB under D65 of white, black, red, green, blue and middle grey, to the tenth.
    rgb = torch.tensor([[1.0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]], dtype=torch.float64)
    lab = [
        [100, 0, 0],
        [0, 0, 0],
        [53.24, 80.09, 67.20],
        [87.73, -86.18, 83.18],
        [32.30, 79.19, -107.86],
        [53.39, 0, 0],
    ]
    torch.testing.assert_close(to_lab(rgb), torch.tensor(lab, dtype=torch.float64), rtol=0, atol=0.02)
    assert float(lab_distance(torch.tensor([[0.0, 0, 0]]), "#fff")) == pytest.approx(100, abs=1e-3)


def test_hue_saturation_and_amplitude_lead_back():
    rgb = torch.rand(500, 3, generator=torch.Generator().manual_seed(0)) * 3  # more than full is allowed
    rgb[:4] = torch.tensor([[0.0, 0, 0], [2, 2, 2], [1, 0, 0], [1, 1, 0]])
    torch.testing.assert_close(from_hsv(to_hsv(rgb)), rgb, rtol=1e-5, atol=1e-6)
    assert to_hsv(rgb[2:4]).tolist() == [[0, 1, 1], [60, 1, 1]]
    torch.testing.assert_close(recolored(torch.eye(3), 120), torch.eye(3)[[1, 2, 0]])  # red to green to blue
    for hue, saturation in ((77, 1), (0, 0.3), (-200, 2)):
        turned = recolored(rgb, hue, saturation)
        torch.testing.assert_close(turned.amax(-1), rgb.amax(-1))  # as bright as before
        assert bool((turned >= 0).all())
    torch.testing.assert_close(recolored(recolored(rgb, 77), -77), rgb, rtol=1e-4, atol=1e-5)


def test_what_is_seen_of_colours():
    assert seen(torch.tensor([[0.5]])).tolist() == [[0.5, 0.5, 0.5]]
    assert seen(torch.tensor([[0.25, 0.5, 2, 0.5], [0, 0, 0, 0]])).tolist() == [[0.5, 1, 1], [0, 0, 0]]


def test_colours_are_written_in_hexadecimal():
    assert parse_color("#ff8000") == (1, 128 / 255, 0)
    assert parse_color("#F80") == (1, 136 / 255, 0)
    for text in ("red", "#ff", "#gggggg", "ff0000", ""):
        with pytest.raises(InputError, match="is no colour"):
            parse_color(text)
