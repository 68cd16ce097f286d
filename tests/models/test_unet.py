"""PixelUNet: a denoiser like the others, of whole images."""

import pytest
import torch

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import PixelUNet


def classes(count):
    return ConditionSpec.of_classes(count).to_dict()


def tiny(**kwargs):
    torch.manual_seed(0)
    settings = {"size": (8, 12), "widths": (8, 32), "attention": (1,), "norm_groups": 4} | kwargs
    return PixelUNet(**settings).eval()


def inputs(channels=1):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, channels, 8, 12, generator=generator), torch.tensor([3.0, 500.0, 990.0])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_output_has_the_shape_of_the_images(channels):
    sample, time = inputs(channels)
    output = tiny(channels=channels)(sample, time)
    assert output.shape == sample.shape
    assert output.std() > 0.01


def test_time_and_class_change_the_output():
    network = tiny(conditions=classes(4))
    sample, time = inputs()
    labels = torch.tensor([[0], [1], [2]])
    output = network(sample, time, labels)
    assert not torch.allclose(output, network(sample, time + 100, labels), atol=1e-3)
    for other in ([[1], [2], [3]], [[4], [4], [4]]):  # 4 is "open"
        assert not torch.allclose(output, network(sample, time, torch.tensor(other)), atol=1e-3)


def test_images_of_a_batch_do_not_see_each_other():
    network = tiny(conditions=classes(4))
    sample, time = inputs()
    labels = torch.tensor([[0], [3], [4]])
    whole = network(sample, time, labels)
    for i in range(3):
        alone = network(sample[i : i + 1], time[i : i + 1], labels[i : i + 1])
        # Convolutions choose their algorithm by the batch's size: float32 rounding only.
        torch.testing.assert_close(alone[0], whole[i], rtol=1e-4, atol=1e-5)


def test_sides_that_cannot_be_halved_at_every_level_are_refused():
    with pytest.raises(InputError, match="of 3 levels halves its images 2 times, which 28x30 pixels do not allow"):
        PixelUNet(size=(28, 30))
    one_level = tiny(size=(8, 9), widths=(32,), attention=())
    assert one_level(torch.zeros(1, 1, 8, 9), torch.zeros(1)).shape == (1, 1, 8, 9)


def test_saving_and_loading_is_identity(tmp_path):
    network = tiny(conditions=classes(3))
    network.save_pretrained(tmp_path)
    loaded = PixelUNet.from_pretrained(tmp_path)
    sample, time = inputs()
    labels = torch.tensor([[0], [1], [2]])
    assert torch.equal(loaded(sample, time, labels), network(sample, time, labels))
