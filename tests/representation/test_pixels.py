"""Pixels as latents: nothing is lost, and a token is its patch."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation import PixelRepresentation

HEIGHT, WIDTH = 8, 12


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 3, HEIGHT, WIDTH), dtype=np.uint8)


@pytest.fixture(params=[0, 2, 4], ids=["whole", "2x2", "4x4"])
def representation(request):
    return PixelRepresentation(HEIGHT, WIDTH, 3, request.param)


def test_every_8_bit_picture_comes_back(representation, images):
    latents = representation.to_latent(images)
    assert latents.shape == (3, *representation.latent_shape)
    assert representation.bounded
    assert float(latents.abs().max()) <= 1
    back = (representation.draw(representation.from_latent(latents)) * 255).round().to(torch.uint8)
    assert torch.equal(back, torch.from_numpy(images))


@pytest.mark.parametrize("patch", [2, 4])
def test_a_token_shows_the_patch_at_its_anchor(images, patch):
    representation = PixelRepresentation(HEIGHT, WIDTH, 3, patch)
    before = representation.to_latent(images)
    columns = WIDTH // patch
    places = representation.anchors.unique(dim=0)
    across, down = (axis.unique() for axis in places.T)  # sorted: left to right, top to bottom
    for row in range(HEIGHT // patch):
        for column in range(columns):
            changed = images.copy()
            changed[:, :, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch] ^= 255
            moved = (representation.to_latent(changed) != before).any(2).all(0)
            assert moved.nonzero().flatten().tolist() == [row * columns + column]
            assert representation.anchors[moved][0].tolist() == [across[column], down[row]]


@pytest.mark.parametrize("patch", [2, 4])
def test_anchors_are_standardised_and_distinct(patch):
    anchors = PixelRepresentation(HEIGHT, WIDTH, 3, patch).anchors
    torch.testing.assert_close(anchors.mean(0), torch.zeros(2), rtol=0, atol=1e-6)
    torch.testing.assert_close(anchors.std(0), torch.ones(2))
    assert len(anchors.unique(dim=0)) == len(anchors) == HEIGHT * WIDTH // patch**2


def test_whole_images_have_no_anchors_and_a_single_patch_a_finite_one():
    assert PixelRepresentation(8, 8).anchors is None
    assert PixelRepresentation(8, 8, 1, 8).anchors.tolist() == [[0, 0]]


def test_patches_that_do_not_tile_are_refused():
    with pytest.raises(InputError, match="patches of 4 pixels do not tile images of 8x10"):
        PixelRepresentation(8, 10, 1, 4)


def test_saving_and_loading_is_identity(representation, images, tmp_path):
    representation.save_pretrained(tmp_path)
    loaded = PixelRepresentation.from_pretrained(tmp_path)
    assert loaded.describe() == representation.describe()
    assert torch.equal(loaded.to_latent(images), representation.to_latent(images))


def test_enlarging_keeps_the_aspect_and_flat_colours(representation):
    flat = torch.full((2, 3, HEIGHT, WIDTH), 0.25)
    assert representation.draw(flat) is flat
    drawn = representation.draw(flat, 36)
    assert drawn.shape == (2, 3, 24, 36)
    torch.testing.assert_close(drawn, torch.full_like(drawn, 0.25))
    assert representation.draw(flat, (5, 7)).shape == (2, 3, 5, 7)


def test_the_picture_loss_is_that_of_the_images_and_blind_to_what_the_clamp_hides(representation, images):
    clean = representation.to_latent(images)
    pictures = representation.pictures(clean)
    assert float(representation.picture_loss(clean, pictures)) == 0
    assert float(representation.picture_loss(clean + 0.2, pictures)) == pytest.approx(0.01, rel=0.05)  # (0.2 / 2)^2
    white = representation.to_latent(np.full_like(images, 255))
    assert float(representation.picture_loss(white + 1, representation.pictures(white))) == 0


def test_reconstructing_loses_nothing(representation, images):
    assert np.array_equal(representation.reconstruct(images), images)
