"""Operations counted against those worked out by hand, 2 per multiply-add."""

import pytest
import torch
from torch import nn

from gaussiandiffusion.evaluation.cost.flops import count_flops, parameter_count, pass_flops, training_flops
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.models import make_network, make_transformer
from gaussiandiffusion.models.blocks import Attention
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation


def test_a_linear_layer():
    layer = nn.Linear(7, 5)
    assert parameter_count(layer) == 7 * 5 + 5
    assert count_flops(lambda: layer(torch.zeros(3, 7))) == 2 * 3 * 7 * 5  # biases are not counted


def test_a_convolution():
    layer = nn.Conv2d(3, 8, kernel_size=3, padding=1)
    assert count_flops(lambda: layer(torch.zeros(2, 3, 6, 10))) == 2 * (2 * 6 * 10) * (3 * 3 * 3) * 8


@torch.no_grad()
def test_attention_counts_its_two_products():
    n, k, width = 2, 11, 16
    layer = Attention(width, heads=4, qk_norm=True)
    projections = 2 * n * k * width * (3 * width + width)
    products = 2 * (2 * n * k * k * width)  # q k^T, and weights times v; heads share the width
    assert count_flops(lambda: layer(torch.zeros(n, k, width))) == projections + products


def test_a_transformer_by_hand():
    k, features, width = 9, 6, 64
    network = make_transformer("tiny", num_features=features)
    representation = SplatRepresentation(16, 16, 1, {"num_splats": k}, per_slot=False)
    # Per set: time (256 to 64 to 64), the condition of 64, and what it modulates; per splat: the rest.
    block = k * width * (4 * width + 8 * width) + 2 * k * k * width + 64 * 6 * width
    once = 256 * width + width * width + width * 64 + 64 * 2 * width
    assert pass_flops(network, representation) == 2 * (once + 2 * k * features * width + 4 * block)


@pytest.mark.parametrize("size", ["unet", "tiny"])
def test_training_takes_about_three_times_a_pass(size):
    representation = PixelRepresentation(16, 16, patch=0 if size == "unet" else 4)
    anchors = 0 if size == "unet" else 2
    network = make_network(
        size, representation.latent_shape, conditions=ConditionSpec.of_classes(3), num_anchor_features=anchors
    )
    forward, training = (count(network, representation) for count in (pass_flops, training_flops))
    assert 2.8 < training / forward <= 3  # the first layer's input needs no gradient
