"""Image-GS's checkpoints: redrawn pixel by pixel as its own program does, and what is refused."""

import math

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.image_gs import draw_image_gs, is_image_gs, read_image_gs
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas
from gaussiandiffusion.splats.formats import Reading

HEIGHT, WIDTH = 22, 35  # tiles of 16, the last ones cut


def checkpoint(count=40, channels=3, seed=0):
    """A checkpoint as its program writes it, of Gaussians of half a pixel to some pixels."""
    g = torch.Generator().manual_seed(seed)
    state = {
        "xy": torch.rand(count, 2, generator=g),
        "scale": 0.2 + torch.rand(count, 2, generator=g) * 1.5,
        "rot": torch.randn(count, 1, generator=g) * 2,
        "feat": torch.randn(count, channels, generator=g) * 0.4 + 0.4,
        "vis_feat": torch.rand(count, channels, generator=g),
    }
    return {"step": 10000, "psnr": 31.5, "bytes": 70000.0, "state_dict": state, "optim_state_dict": {"state": {}}}


def drawn(state, height, width):
    """Its picture, pixel by pixel: tiles that a Gaussian touches, the ten largest values, their weighted average."""
    gaussians = []
    for (x, y), scale, (angle,), color in zip(*(state[n].double().tolist() for n in ("xy", "scale", "rot", "feat")),
                                              strict=True):  # fmt: skip
        first, second = (1 / s for s in scale)
        turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]).double()
        both = turn @ torch.diag(torch.tensor([first**2, second**2]).double()) @ turn.T
        middle, determinant = both.trace().item() / 2, both.det().item()
        radius = math.ceil(3 * math.sqrt(middle + math.sqrt(max(0.1, middle * middle - determinant))))
        gaussians.append((x * width, y * height, both.inverse(), radius, torch.tensor(color).double()))
    picture = torch.zeros(len(color), height, width, dtype=torch.float64)
    tiles = (math.ceil(width / 16), math.ceil(height / 16))
    for i in range(height):
        for j in range(width):
            found = []
            for x, y, inverse, radius, color in gaussians:
                touched = all(
                    min(max(0, int(c / 16 - radius / 16)), count) <= p // 16
                    and p // 16 < min(max(0, int(c / 16 + radius / 16 + 1)), count)
                    for c, p, count in ((x, j, tiles[0]), (y, i, tiles[1]))
                )
                offset = torch.tensor([x - j, y - i]).double()
                if touched:
                    found.append((math.exp(-0.5 * (offset @ inverse @ offset).item()), color))
            found = sorted(found, key=lambda one: -one[0])[:10]
            total = sum(value for value, _ in found) + 1e-4
            picture[:, i, j] = sum((value / total * color for value, color in found), torch.zeros_like(color))
    return picture.clamp(0, 1)


@pytest.mark.parametrize(("count", "channels"), [(40, 3), (5, 1)])
def test_the_picture_is_that_of_its_own_formula(count, channels):
    state = checkpoint(count, channels)
    assert is_image_gs(state)
    picture = draw_image_gs(state, Canvas(HEIGHT, WIDTH, channels))
    assert (picture - drawn(state["state_dict"], HEIGHT, WIDTH)).abs().max() < 1e-5
    assert torch.equal(picture, draw_image_gs(state["state_dict"], Canvas(HEIGHT, WIDTH, channels)))


def test_the_set_shows_the_picture():
    state = checkpoint(120)
    file = read_image_gs(state, Reading(canvas=(HEIGHT, WIDTH)))
    picture = draw_image_gs(state, Canvas(HEIGHT, WIDTH, 3))
    assert file.splats.num_splats == 120
    assert file.header.source == {"program": "Image-GS"}
    mse = (render(file.splats)[0] - picture).square().mean()
    assert -10 * math.log10(mse) > 28  # sharp edges between averages, three splats for twenty pixels
    assert file.psnr.item() == pytest.approx(-10 * math.log10(mse), abs=0.1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rot": torch.zeros(40, 2)}, r"rot of an Image-GS checkpoint must hold .* not \(40, 2\)"),
        ({"rot": torch.zeros(39, 1)}, "rot"),
        ({"feat": torch.zeros(40)}, "feat"),
        ({"xy": torch.tensor(0.5)}, "xy"),
        ({"xy": torch.zeros(40, 2, dtype=torch.int64)}, "xy"),
        ({"feat": torch.zeros(40, 9)}, "stack of textures with 9 channels"),
        ({"scale": torch.full((40, 2), torch.nan)}, "NaN"),
        ({"scale": torch.zeros(40, 2)}, "a scale of 0 is no Gaussian"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(changes, said):
    state = checkpoint()["state_dict"] | changes
    with pytest.raises(InputError, match=said) as raised:
        read_image_gs(state, Reading(canvas=(HEIGHT, WIDTH)), "c.pt")
    assert str(raised.value).startswith("c.pt: ")


def test_the_size_has_to_be_given():
    with pytest.raises(InputError, match="does not say how large its picture is"):
        read_image_gs(checkpoint(), Reading())


def test_other_files_are_not_taken_for_it():
    state = checkpoint()
    assert not is_image_gs({"W": torch.zeros(70, 7), "label": 3})
    assert not is_image_gs({"state_dict": 3})
    assert not is_image_gs({"state_dict": {"xy": torch.zeros(3, 2)}})
    assert not is_image_gs({**state["state_dict"], "rot": None})
