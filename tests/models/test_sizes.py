"""Networks by name, for the latents they are to see."""

import pytest
import torch

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import SIZES, UNET_SIZES, GaussianTransformer, PixelUNet, make_network


@pytest.mark.parametrize("size", SIZES)
def test_sets_of_tokens_get_a_transformer(size):
    with torch.device("meta"):
        network = make_network(size, (48, 6), conditions=ConditionSpec.of_classes(10), num_anchor_features=2)
    assert isinstance(network, GaussianTransformer)
    config = network.config
    assert (config.num_features, network.condition_spec.sizes, config.num_anchor_features) == (6, (10,), 2)


@pytest.mark.parametrize("size", UNET_SIZES)
def test_whole_images_get_a_unet(size):
    with torch.device("meta"):
        network = make_network(size, (3, 28, 28), conditions=ConditionSpec.of_classes(10))
    assert isinstance(network, PixelUNet)
    config = network.config
    assert (tuple(config.size), config.channels, network.condition_spec.sizes) == ((28, 28), 3, (10,))


def test_a_name_decides_the_size_whatever_the_latent():
    unet = make_network("unet", (1, 28, 28))
    assert tuple(unet.config.widths) == UNET_SIZES["unet"]["widths"]
    assert unet(torch.zeros(2, 1, 28, 28), torch.zeros(2)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(
    ("size", "shape", "complaint"),
    [
        ("tiny", (1, 28, 28), "'tiny' denoises sets of tokens, not whole images; set patch, or take a U-Net"),
        ("unet", (48, 6), "'unet' denoises whole images; set representation = pixels and patch = 0"),
        ("unet", (1, 27, 28), "27x28 pixels do not allow"),
        ("huge", (48, 6), "unknown network size 'huge'; choose one of .*tiny.*, unet"),
    ],
)
def test_other_pairs_are_refused(size, shape, complaint):
    with pytest.raises(InputError, match=complaint):
        make_network(size, shape)
