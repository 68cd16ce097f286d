"""Flat sets for viewers of 3D Gaussians: what such a viewer finds in the file."""

import math

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.ply import write_ply

NAMES = [
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
]
FLIP = torch.tensor([1.0, -1.0], dtype=torch.float64)


def viewed(path):
    """The vertices of a binary .ply of floats, by name."""
    head, _, body = path.read_bytes().partition(b"end_header\n")
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    element, *properties = [line.split() for line in lines[2:]]
    assert element[:2] == ["element", "vertex"]
    assert [one[:2] for one in properties] == [["property", "float"]] * len(NAMES)
    table = np.frombuffer(body, [(one[2], "<f4") for one in properties])
    assert len(table) == int(element[2])
    assert list(table.dtype.names) == NAMES
    return {name: torch.tensor(table[name].astype(np.float64)) for name in NAMES}


def covariances(table):
    """R S S R^T of quaternions (w, x, y, z) and logarithms of scales."""
    w, x, y, z = (table[f"rot_{i}"] for i in range(4))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    turn = torch.stack([torch.stack(row, -1) for row in rows], -2)
    scaled = turn * torch.stack([table[f"scale_{i}"].exp() for i in range(3)], -1)[:, None]
    return scaled @ scaled.mT


def colors(table):
    return torch.stack([0.5 + 0.28209479177387814 * table[f"f_dc_{i}"] for i in range(3)], -1)


@pytest.mark.parametrize("turned", [True, False])
def test_means_and_covariances_are_those_of_the_set_with_y_up(make_splats, tmp_path, turned):
    splats = make_splats(n=1, k=50)
    write_ply(splats, tmp_path / "x.ply", turned=turned)
    table = viewed(tmp_path / "x.ply")
    seen = torch.stack([table["x"], table["y"]], -1) * (-1 if turned else 1)  # a half turn about z, undone
    assert torch.allclose(seen, splats.means[0].double() * FLIP, rtol=0, atol=1e-6)
    assert not table["z"].any()
    expected = splats.to(torch.float64).covariances
    found = covariances(table)
    # Means in the file are float32; so are logarithms of scales and quaternions.
    assert torch.allclose(found[:, :2, :2], expected[0] * FLIP[:, None] * FLIP, rtol=1e-5, atol=1e-7)
    assert torch.allclose(found[:, 2, 2], torch.full((50,), 1e-8, dtype=torch.float64), rtol=1e-4)
    assert found[:, :2, 2].abs().max() < 1e-9


def test_needles_and_circles_keep_their_shape(tmp_path):
    sigmas = torch.tensor([[0.2, 0.2], [1e-3, 1.0], [0.3, 0.3], [0.5, 0.01]])
    rhos = torch.tensor([0.0, 0.0, 0.99999, -0.5])
    splats = Splats(torch.zeros(1, 4, 2), sigmas[None], rhos[None], torch.ones(1, 4, 1), Canvas(8, 8))
    write_ply(splats, tmp_path / "x.ply")
    table = viewed(tmp_path / "x.ply")
    expected = splats.to(torch.float64).covariances[0]
    for index in range(4):
        values = torch.linalg.eigvalsh(expected[index])
        found = torch.stack([table["scale_1"][index], table["scale_0"][index]]).exp().square()
        assert torch.allclose(found, values, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_one_splat_alone_shows_its_colour(make_splats, tmp_path, channels):
    splats = make_splats(n=1, k=20, channels=channels)
    splats.colors.mul_(0.98)  # opacities reach 0.99
    write_ply(splats, tmp_path / "x.ply")
    table = viewed(tmp_path / "x.ply")
    shown = colors(table) * torch.sigmoid(table["opacity"])[:, None]  # on black
    assert torch.allclose(shown, splats.colors[0].double().expand(-1, 3), atol=1e-5)
    assert colors(table).amax() <= 1 + 1e-6


def test_white_soft_splats_blend_as_their_sum(tmp_path):
    light = torch.tensor([0.3, 1.0, 2.0])
    splats = Splats(torch.zeros(1, 3, 2), torch.ones(1, 3, 2), torch.zeros(1, 3), light[None, :, None], Canvas(8, 8),
                    output="soft")  # fmt: skip
    write_ply(splats, tmp_path / "x.ply")
    table = viewed(tmp_path / "x.ply")
    blended = 1 - (1 - torch.sigmoid(table["opacity"])).prod()
    assert blended.item() == pytest.approx(1 - math.exp(-light.sum().item()), abs=1e-6)


def test_transparency_and_order_are_kept(make_splats, tmp_path):
    write_ply(make_splats(n=1, k=4, channels=4), tmp_path / "rgba.ply")
    splats = make_splats(n=1, k=4, channels=4)
    opacity = torch.sigmoid(viewed(tmp_path / "rgba.ply")["opacity"])
    assert torch.allclose(opacity, splats.colors[0, :, 3].double().clamp(1e-4, 0.99), atol=1e-5)
    layered = make_splats(n=1, k=4, blending="alpha", opacities=torch.tensor([[0.0, 0.25, 0.5, 1.0]]))
    write_ply(layered, tmp_path / "alpha.ply")
    table = viewed(tmp_path / "alpha.ply")
    assert (table["z"].diff() < 0).all()
    assert torch.allclose(torch.sigmoid(table["opacity"]), torch.tensor([1e-4, 0.25, 0.5, 0.99]).double(), atol=1e-6)
    assert torch.allclose(colors(table), layered.colors[0].double().expand(-1, 3), atol=1e-6)


def test_what_has_no_light_or_too_much_stays_finite(tmp_path):
    light = torch.tensor([[0.0, 0, 0], [-1, 0.5, 0], [5, 1, 0], [1e-45, 0, 0]])
    splats = Splats(torch.zeros(1, 4, 2), torch.ones(1, 4, 2), torch.zeros(1, 4), light[None], Canvas(8, 8, 3))
    write_ply(splats, tmp_path / "x.ply")
    table = viewed(tmp_path / "x.ply")
    assert all(bool(values.isfinite().all()) for values in table.values())
    assert torch.allclose(colors(table)[1:3], torch.tensor([[0, 1, 0], [1, 0.2, 0]]).double(), atol=1e-6)


def test_several_sets_and_values_out_of_range_are_refused(make_splats, tmp_path):
    with pytest.raises(InputError, match="holds one set, not 2"):
        write_ply(make_splats(), tmp_path / "x.ply")
    broken = make_splats(n=1)
    broken.rhos[0, 0] = 1
    with pytest.raises(InputError, match="rhos must lie"):
        write_ply(broken, tmp_path / "x.ply")
    assert not list(tmp_path.iterdir())
