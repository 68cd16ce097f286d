"""An SVG drawn by its own words is the rendered picture."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render, to_svg
from gaussiandiffusion.rendering.svg_shapes import REACH, STOPS

NAMESPACE = "{http://www.w3.org/2000/svg}"


def rgb(text):
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def draw(path):
    """(height, width, 3) of an SVG of ours, as a viewer that knows plus-lighter would draw it."""
    root = ElementTree.parse(path).getroot()
    height, width = int(root.get("height")), int(root.get("width"))
    stops = [(float(s.get("offset")), float(s.get("stop-opacity"))) for s in root.iter(f"{NAMESPACE}stop")]
    y, x = np.mgrid[:height, :width] + 0.5
    picture = np.tile(rgb(root.find(f"{NAMESPACE}rect").get("fill")), (height, width, 1))
    for group in root.findall(f"{NAMESPACE}g"):
        if group.get("display") == "none":
            continue
        a, b, c, d, e, f = map(float, re.fullmatch(r"matrix\((.*)\)", group.get("transform"))[1].split())
        determinant = a * d - b * c
        u, v = (d * (x - e) - c * (y - f)) / determinant, (a * (y - f) - b * (x - e)) / determinant
        mask = np.interp(np.hypot(u, v), *zip(*stops, strict=True), right=0)
        picture = np.minimum(1, picture + mask[..., None] * rgb(group.find(f"{NAMESPACE}circle").get("fill")))
    return picture


@pytest.mark.parametrize("size", [None, 41])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_drawing_is_the_rendered_picture(make_splats, tmp_path, channels, size):
    background = torch.full((1, channels), 0.1)
    splats = make_splats(1, 4, channels=channels, opacities=torch.full((1, 4), 0.9), background=background)
    splats.colors[0, 0] *= 3  # drawn in layers
    to_svg(splats, tmp_path / "x.svg", size=size)
    expected = render(splats, size)[0].permute(1, 2, 0).expand(-1, -1, 3).numpy()
    # Straight lines between stops err by at most h^2 / 8 of the Gaussian, whose second derivative is at most 1, and the
    # rim is missing: both as parts of the colour. Half a level of 8 bits for each
    # of up to seven fills and the background.
    straight = (REACH / STOPS) ** 2 / 8 + np.exp(-(REACH**2) / 2)
    weight = float((splats.colors * splats.opacities[..., None]).sum(1).max())
    assert np.abs(draw(tmp_path / "x.svg") - expected).max() <= straight * weight + 8 * 0.5 / 255 + 1e-3


def test_no_splats_are_a_blank_sheet_and_equal_sets_give_equal_bytes(make_splats, tmp_path):
    to_svg(make_splats(1).select([]), tmp_path / "blank.svg")
    assert draw(tmp_path / "blank.svg").max() == 0
    for name in ("a.svg", "b.svg"):
        to_svg(make_splats(1), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_negative_colours_and_unwritable_places_are_refused(make_splats, tmp_path):
    negative = make_splats(1)
    negative.colors[0, 0] = -0.1
    with pytest.raises(InputError, match="negative colours"):
        to_svg(negative, tmp_path / "x.svg")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        to_svg(make_splats(1), tmp_path / "file" / "x.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
