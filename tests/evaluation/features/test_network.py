"""The feature network: what it takes, what it gives, and that saving keeps it."""

import pytest
import torch

from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def network() -> FeatureNetwork:
    torch.manual_seed(0)
    return FeatureNetwork(in_channels=3, image_size=18, num_classes=4, num_features=12, width=4).eval()


def test_features_logits_and_classes_have_their_shapes(network):
    images = torch.rand(5, 3, 18, 18)
    features, logits = network(images), network.logits(images)
    assert features.shape == (5, network.num_features) == (5, 12)
    assert (features >= 0).all()
    assert logits.shape == (5, 4)
    assert torch.equal(network.classify(images), logits.argmax(1, keepdim=True))


def test_batch_of_one_equals_batch_of_many(network):
    images = torch.rand(4, 3, 18, 18)
    one_by_one = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(one_by_one, network(images))


def test_logits_are_linear_in_the_features(network):
    images = torch.rand(2, 3, 18, 18)
    expected = network(images) @ network.classify_head.weight.T + network.classify_head.bias
    torch.testing.assert_close(network.logits(images), expected)


def test_saving_and_loading_is_the_identity(network, tmp_path):
    network.save_pretrained(tmp_path)
    loaded = FeatureNetwork.from_pretrained(tmp_path)
    images = torch.rand(2, 3, 18, 18)
    assert torch.equal(loaded(images), network(images))
    assert loaded.config["width"] == 4
    assert loaded.num_features == 12


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 3, 18, 18, dtype=torch.uint8),
        torch.zeros(2, 1, 18, 18),
        torch.zeros(2, 3, 20, 18),
        torch.zeros(3, 18, 18),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_other_images_are_refused(network, images):
    with pytest.raises(InputError):
        network(images)


@pytest.mark.parametrize(
    "config",
    [{"num_features": 257}, {"num_features": 0}, {"image_size": 4}, {"width": 0}, {"in_channels": 0}],
)
def test_other_sizes_are_refused(config):
    with pytest.raises(InputError):
        FeatureNetwork(**config)


def test_gradients_reach_every_parameter(network):
    network.train().logits(torch.rand(8, 3, 18, 18)).square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_a_mirrored_network_tells_no_image_from_its_mirror_image(network):
    images = torch.rand(3, 3, 18, 18)
    twin = FeatureNetwork(in_channels=3, image_size=18, num_classes=4, num_features=12, width=4, mirrored=True).eval()
    twin.load_state_dict(network.state_dict())
    torch.testing.assert_close(twin(images), twin(images.flip(3)))
    torch.testing.assert_close(twin(images), (network(images) + network(images.flip(3))) / 2)
    assert not torch.allclose(network(images), network(images.flip(3)))
