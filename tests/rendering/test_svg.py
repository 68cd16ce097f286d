"""SVG: well-formed, layered, and honest about what it cannot draw."""

import xml.etree.ElementTree as ElementTree

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import to_svg
from gaussiandiffusion.splats import Canvas, Splats


def test_every_visible_splat_is_an_ellipse_and_bright_ones_are_layered(tmp_path):
    colors = torch.tensor([[[0.5], [2.5], [0.0]]])
    splats = Splats(torch.zeros(1, 3, 2), torch.full((1, 3, 2), 0.2), torch.zeros(1, 3), colors, Canvas(10, 20, 1))
    to_svg(splats, tmp_path / "x.svg", size=200)
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert (root.get("width"), root.get("height")) == ("200", "100")
    shapes = root.findall("{http://www.w3.org/2000/svg}g")
    assert [shape.get("display") for shape in shapes] == [None] * (1 + 3) + ["none"]  # 2.5 needs three layers, 0 none
    numbers = [float(x) for x in shapes[0].get("transform")[7:-1].split()]
    assert numbers == pytest.approx([0.2 * 3.5 * 100, 0, 0, 0.2 * 3.5 * 100, 100, 50])


def test_what_svg_cannot_draw_is_refused(make_splats, tmp_path):
    for splats, complaint in [
        (make_splats(2), "one set, not 2"),
        (make_splats(1, blending="alpha"), "summed splats"),
        (make_splats(1, output="soft"), "summed splats"),
        (make_splats(1, channels=4), "no transparency"),
    ]:
        with pytest.raises(InputError, match=complaint):
            to_svg(splats, tmp_path / "x.svg")
    assert not (tmp_path / "x.svg").exists()


def test_colours_beyond_all_layers_are_refused_rather_than_fill_memory(make_splats, tmp_path):
    splats = make_splats(1, 3)
    splats.colors[0, 1] = 1e6
    with pytest.raises(InputError, match="splat 1 is 1e\\+06, and an SVG draws at most 256 layers"):
        to_svg(splats, tmp_path / "x.svg")
    many = make_splats(1, 5000)
    many.colors[:] = 250.0
    with pytest.raises(InputError, match="needs 1250000 shapes"):
        to_svg(many, tmp_path / "x.svg")
    splats.colors[0, 1] = float("inf")
    with pytest.raises(InputError, match="NaN or infinity"):
        to_svg(splats, tmp_path / "x.svg")
    assert not (tmp_path / "x.svg").exists()
