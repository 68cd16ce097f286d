"""`densify`: more splats, nearer to the picture; what is not selected stays as it is."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.edit.operations.densify import densify
from gaussiandiffusion.encoding import FitEncoder, default_settings
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render

STEPS = 40


def picture(shift=0):
    y, x = np.mgrid[:40, :48] / 8
    planes = [128 + 60 * np.sin(x * x + c + shift) + 60 * np.cos(3 * y) for c in range(3)]
    return np.stack(planes).clip(0, 255).astype(np.uint8)[None]


@pytest.fixture(scope="module")
def sets():
    images = np.concatenate([picture(), picture(2)])
    return FitEncoder(default_settings(3, num_splats=40, iterations=30)).encode(images).splats


def psnr(splats, image):
    return float(-10 * torch.log10((render(splats) - torch.from_numpy(image) / 255).square().mean()))


def test_it_comes_nearer_to_each_picture(sets):
    images = np.concatenate([picture(), picture(2)])
    denser = densify(sets, images, 80, iterations=STEPS).validate()
    assert denser.num_splats == 80
    for i in (0, 1):
        assert psnr(denser[i], images[i : i + 1]) > psnr(sets[i], images[i : i + 1]) + 2
        alone = densify(sets[i], images[i : i + 1], 80, iterations=STEPS)
        assert torch.equal(alone.means, denser[i].means)


def test_splats_keep_their_places_in_the_set(sets):
    denser = densify(sets[0], picture(), 60, iterations=STEPS)
    moved = (denser.means[:, :40] - sets[0].means).norm(dim=-1)
    apart = torch.cdist(sets[0].means, sets[0].means)[0]
    assert float(moved.median()) < float(apart[apart > 0].median()) / 3


def test_what_is_not_selected_stays_bit_by_bit(sets):
    one = sets[0]
    where = one.means[..., 0] < 0
    denser = densify(one, picture(), 70, where, iterations=STEPS)
    for name, value in one.tensors().items():
        if name != "background":
            assert torch.equal(getattr(denser, name)[:, :40][~where], value[~where]), name
    assert float((denser.means[0, 40:, 0] < 0.15).float().mean()) > 0.9
    assert psnr(denser, picture()) > psnr(one, picture())


def test_without_the_kernel_too(sets, monkeypatch):
    monkeypatch.setattr("gaussiandiffusion.encoding.encoder.kernel_available", lambda: False)
    one, where = sets[0], sets[0].means[..., 0] < 0
    denser = densify(one, picture(), 50, where, iterations=10)
    assert torch.equal(denser.means[:, :40][~where], one.means[~where])
    assert denser.num_splats == 50


def test_what_cannot_be_densified_is_refused(sets):
    with pytest.raises(InputError, match="more than the 40"):
        densify(sets, picture(), 40)
    with pytest.raises(InputError, match="48x40 with 1 channel"):
        densify(sets, picture()[:, :1], 60)
    with pytest.raises(InputError, match="3 pictures for 2 sets"):
        densify(sets, np.concatenate([picture()] * 3), 60)
