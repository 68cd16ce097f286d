"""GaussianImage's models: redrawn pixel by pixel as its own program does, and what is refused."""

import math
from dataclasses import replace

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.gaussianimage import CUTOFF, is_gaussianimage, read_gaussianimage
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats.formats import Reading

HEIGHT, WIDTH = 18, 27
READING = Reading(canvas=(HEIGHT, WIDTH))


def model(kind, count=30, seed=0):
    """A state dict as a trained model's: means over the picture, scales of a few pixels, colours of both signs."""
    g = torch.Generator().manual_seed(seed)
    state = {
        "_xyz": torch.atanh(torch.rand(count, 2, generator=g) * 1.9 - 0.95),
        "_features_dc": torch.randn(count, 3, generator=g) * 0.4,
        "_opacity": torch.ones(count, 1),
        "bound": torch.full((1, 2), 0.5),
    }
    if kind == "cholesky":
        state["_cholesky"] = torch.randn(count, 3, generator=g) * 1.5
        state["cholesky_bound"] = torch.tensor([[0.5, 0, 0.5]])
        state["background"] = torch.ones(3)
    else:
        state["_scaling"] = torch.randn(count, 2, generator=g) * 2
        state["_rotation"] = torch.randn(count, 1, generator=g) * 2
    return state


def covariance(state, k):
    if "_cholesky" in state:
        a, b, c = (state["_cholesky"][k] + torch.tensor([0.5, 0, 0.5])).tolist()
        return a * a, a * b, b * b + c * c
    first, second = (state["_scaling"][k] + 0.5).abs().tolist()
    angle = 2 * math.pi / (1 + math.exp(-state["_rotation"][k].item()))
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    both = turn @ torch.diag(torch.tensor([first**2, second**2])) @ turn.T
    return both[0, 0].item(), both[0, 1].item(), both[1, 1].item()


def drawn(state):
    """Its sum, Gaussian by Gaussian and pixel by pixel, as its kernel has it, without tiles."""
    picture = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.float64)
    for k in range(len(state["_xyz"])):
        t_x, t_y = torch.tanh(state["_xyz"][k]).tolist()
        center_x, center_y = 0.5 * WIDTH * t_x + 0.5 * WIDTH, 0.5 * HEIGHT * t_y + 0.5 * HEIGHT
        xx, xy, yy = covariance(state, k)
        determinant = xx * yy - xy * xy
        for i in range(HEIGHT):
            for j in range(WIDTH):
                x, y = center_x - j, center_y - i
                exponent = 0.5 * (yy * x * x + xx * y * y) / determinant - xy / determinant * x * y
                share = math.exp(-exponent)
                if share >= 1 / 255:
                    picture[:, i, j] += state["_features_dc"][k].double() * share
    return picture.clamp(0, 1)


@pytest.mark.parametrize("kind", ["cholesky", "rs"])
def test_the_set_redraws_its_picture(kind):
    state = model(kind)
    assert is_gaussianimage(state)
    file = read_gaussianimage(state, READING)
    picture = render(file.splats.to(torch.float64), cutoff=CUTOFF)[0]
    # Needles a tenth of a pixel wide amplify the rounding of sigma and rho to float32.
    assert (picture - drawn(state)).abs().max() < 2e-3
    assert (picture - drawn(state)).abs().mean() < 1e-5
    assert file.header.signed
    assert file.header.canvas == (HEIGHT, WIDTH, 3)
    assert file.labels is None


def test_half_precision_and_missing_bounds_are_taken():
    state = model("rs")
    del state["bound"]
    half = {name: value.half() for name, value in state.items()}
    whole = read_gaussianimage(state, READING).splats
    # Half floats have 11 bits; a mean of 27 pixels is then off by about a hundredth of one.
    assert torch.allclose(read_gaussianimage(half, READING).splats.means, whole.means, atol=2e-3)


def test_opacities_are_kept_where_there_are_any():
    state = model("cholesky")
    assert read_gaussianimage(state, READING).splats.opacities is None
    state["_opacity"] = torch.rand(30, 1)
    assert torch.equal(read_gaussianimage(state, READING).splats.opacities, state["_opacity"].T)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"_features_dc": torch.zeros(29, 3)},
            r"_features_dc .* must hold floats \(30, 3\), not torch.float32 \(29, 3\)",
        ),
        ({"_features_dc": torch.zeros(30, 4)}, "_features_dc"),
        ({"_cholesky": torch.zeros(30, 2)}, "_cholesky"),
        ({"_cholesky": "zeros"}, "_cholesky .* not nothing of its kind"),
        ({"_cholesky": torch.tensor([[-0.5, 0, 0]]).expand(30, 3)}, "sigmas must be > 0"),
        ({"_xyz": torch.full((30, 2), torch.nan)}, "NaN"),
        ({"_xyz": torch.zeros(30, 2, dtype=torch.int64)}, "_xyz"),
        ({"_opacity": torch.full((30, 1), 2.0)}, "opacities must lie"),
        ({"cholesky_quantizer.scale": torch.ones(3)}, "is a quantised GaussianImage model"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(changes, said):
    with pytest.raises(InputError, match=said) as raised:
        read_gaussianimage(model("cholesky") | changes, READING, "m.pth.tar")
    assert str(raised.value).startswith("m.pth.tar: ")


def test_the_size_has_to_be_given():
    with pytest.raises(InputError, match="does not say how large its picture is"):
        read_gaussianimage(model("rs"), replace(READING, canvas=None))


def test_other_files_are_not_taken_for_it():
    rs = model("rs")
    assert not is_gaussianimage({"W": torch.zeros(70, 7), "label": 3})
    assert not is_gaussianimage(rs | {"_xyz": torch.zeros(30, 3)})  # its 3D model
    assert not is_gaussianimage({name: rs[name] for name in ("_xyz", "_features_dc", "_scaling")})
    assert not is_gaussianimage({})
