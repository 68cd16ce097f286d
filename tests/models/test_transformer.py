"""GaussianTransformer: equivariance, parameter counts, conditioning, saving."""

import pytest
import torch

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import SIZES, GaussianTransformer, make_transformer


def classes(count):
    return ConditionSpec.of_classes(count).to_dict()


def randomised(**kwargs):
    """A tiny network with every weight random: at its initialisation the adaptive one outputs zeros."""
    network = make_transformer("tiny", **kwargs) if "block" not in kwargs else GaussianTransformer(**kwargs)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return network.eval()


def inputs(n=3, k=11, f=6, a=None):
    generator = torch.Generator().manual_seed(1)
    sample = torch.randn(n, k, f, generator=generator)
    anchors = None if a is None else torch.randn(k, a, generator=generator)
    return sample, torch.tensor([3.0, 500.0, 990.0])[:n], anchors


@pytest.mark.parametrize("block", ["adaptive", "film"])
def test_permuting_the_splats_permutes_the_output(block):
    network = randomised(block=block, width=32, depth=2, num_heads=4)
    sample, time, _ = inputs()
    order = torch.randperm(sample.shape[1], generator=torch.Generator().manual_seed(2))
    output = network(sample, time)
    assert output.std() > 0.01
    # Sums over the set are taken in another order: float32 rounding only.
    torch.testing.assert_close(network(sample[:, order], time), output[:, order], rtol=1e-4, atol=1e-5)


def test_permuting_anchors_and_splats_together_permutes_the_output_and_apart_does_not():
    network = randomised(num_anchor_features=6)
    sample, time, anchors = inputs(a=6)
    order = torch.randperm(sample.shape[1], generator=torch.Generator().manual_seed(2))
    output = network(sample, time, None, anchors)
    together = network(sample[:, order], time, None, anchors[order])
    torch.testing.assert_close(together, output[:, order], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(network(sample[:, order], time, None, anchors), output[:, order], atol=1e-2)


def test_sets_of_a_batch_do_not_see_each_other():
    network = randomised(conditions=classes(4))
    sample, time, _ = inputs()
    labels = torch.tensor([[0], [3], [4]])
    whole = network(sample, time, labels)
    for i in range(3):
        alone = network(sample[i : i + 1], time[i : i + 1], labels[i : i + 1])
        torch.testing.assert_close(alone[0], whole[i], rtol=1e-4, atol=1e-5)


def test_time_and_class_change_the_output():
    network = randomised(conditions=classes(4))
    sample, time, _ = inputs(n=1)
    output = network(sample, time, torch.tensor([[1]]))
    assert not torch.allclose(output, network(sample, time + 100, torch.tensor([[1]])), atol=1e-3)
    assert not torch.allclose(output, network(sample, time, torch.tensor([[4]])), atol=1e-3)


def test_attributes_add_up_and_each_alone_can_be_left_open():
    network = randomised(conditions={"hair": ["red", "green"], "action": ["walk", "sit", "run"]})
    sample, time, _ = inputs(n=1)
    vectors = network.label.table.weight
    asked = network.label(torch.tensor([[1, 2], [2, 0], [2, 3]]))  # green and run; open and walk; both open
    torch.testing.assert_close(asked, vectors[[1, 2, 2]] + vectors[[5, 3, 6]])
    outputs = [network(sample, time, torch.tensor([values])) for values in ([0, 0], [1, 0], [2, 0], [2, 3])]
    for i, one in enumerate(outputs):
        for other in outputs[:i]:
            assert not torch.allclose(one, other, atol=1e-3)


def test_a_wider_condition_leaves_the_trunk_as_it_is_and_the_splats_equivariant():
    narrow, wide = (randomised(conditions=classes(4), condition_width=width) for width in (None, 48))
    trunk = [name for name, _ in narrow.named_parameters() if "blocks" in name and "modulation" not in name]
    assert all(narrow.get_parameter(name).shape == wide.get_parameter(name).shape for name in trunk)
    assert wide.label.table.weight.shape[1] == 48
    assert narrow.label.table.weight.shape[1] == 64
    sample, time, _ = inputs()
    labels, order = torch.tensor([[0], [3], [4]]), torch.arange(10, -1, -1)
    output = wide(sample, time, labels)
    torch.testing.assert_close(wide(sample[:, order], time, labels), output[:, order], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(wide(sample, time, labels.flip(0)), output, atol=1e-2)


def test_a_condition_width_is_for_adaptive_blocks_and_at_least_one():
    with pytest.raises(InputError, match="adaptive"):
        GaussianTransformer(block="film", condition_width=32)
    with pytest.raises(InputError, match="condition_width"):
        GaussianTransformer(condition_width=0)


def test_any_number_of_splats_is_taken():
    network = randomised()
    for k in (1, 2, 300):
        assert network(torch.zeros(1, k, 6), torch.zeros(1)).shape == (1, k, 6)


@pytest.mark.parametrize(("size", "millions"), [("paper", 55), ("paper-6", 42)])
def test_the_published_depths_hold_what_the_architecture_as_printed_makes_them_hold(size, millions):
    with torch.device("meta"):
        network = GaussianTransformer(num_features=8, **SIZES[size])
    assert round(sum(p.numel() for p in network.parameters()) / 1e6) == millions


def test_the_adaptive_network_starts_at_zero_and_every_weight_gets_a_gradient_after_one_step():
    network = make_transformer("tiny", conditions=classes(2), num_anchor_features=6)
    sample, time, anchors = inputs(a=6)
    labels = torch.tensor([[0], [1], [2]])
    assert float(network(sample, time, labels, anchors).abs().max()) == 0
    optimizer = torch.optim.SGD(network.parameters(), 1.0)
    for _ in range(3):  # zero layers open one after another
        optimizer.zero_grad()
        (network(sample, time, labels, anchors) - sample).square().mean().backward()
        optimizer.step()
    silent = [name for name, p in network.named_parameters() if not float(p.grad.abs().max()) > 0]
    assert silent == []


def test_saving_and_loading_is_identity(tmp_path):
    network = randomised(conditions=classes(3))
    network.save_pretrained(tmp_path)
    loaded = GaussianTransformer.from_pretrained(tmp_path)
    sample, time, _ = inputs()
    labels = torch.tensor([[0], [1], [2]])
    torch.testing.assert_close(loaded(sample, time, labels), network(sample, time, labels), rtol=0, atol=0)


def test_bad_sizes_are_refused():
    with pytest.raises(InputError, match="unknown network size 'huge'; choose one of paper"):
        make_transformer("huge")
    with pytest.raises(InputError, match="not divisible"):
        GaussianTransformer(width=10, num_heads=4)
    with pytest.raises(InputError, match="unknown block"):
        GaussianTransformer(block="conv")
