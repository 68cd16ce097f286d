"""A small classifier whose penultimate layer is the ruler of our Fréchet distances."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.errors import InputError

MAX_FEATURES = 256
FEATURE_LAYER = "penultimate"


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class FeatureNetwork(Component):
    """Seven 3x3 convolutions at three resolutions, a learned pooling by place, and two linear layers.

    Where a feature lies matters for digits and sprites, so the last map is not averaged: each channel has
    its own weight for every place (a depthwise convolution as large as the map).

    Args:
        in_channels: colour channels of the images.
        image_size: height and width of the images in pixels; at least 8.
        num_classes: length of the logits.
        num_features: length of the feature vector, at most 256, so that a covariance of it can be estimated
            from a few thousand images.
        width: channels of the first two convolutions; the following ones have twice and four times as many.

    Raises:
        InputError: a size is out of range.
    """

    num_features: int

    @configured
    def __init__(
        self,
        in_channels: int = 1,
        image_size: int = 28,
        num_classes: int = 10,
        num_features: int = 128,
        width: int = 16,
    ) -> None:
        super().__init__()
        if not 1 <= num_features <= MAX_FEATURES:
            raise InputError(f"num_features={num_features}: choose between 1 and {MAX_FEATURES}")
        if max(in_channels, image_size, num_classes, width) > 65_536:
            raise InputError("in_channels, image_size, num_classes and width of a feature network end at 65536")
        if image_size < 8:
            raise InputError(f"image_size={image_size}: a feature network needs images of at least 8 pixels")
        if min(in_channels, num_classes, width) < 1:
            raise InputError("in_channels, num_classes and width of a feature network must be positive")
        self.num_features = num_features  # torchmetrics asks for it
        map_size = (image_size + 3) // 4  # two strides of 2, each rounded up
        self.trunk = nn.Sequential(
            _convolution(in_channels, width),
            _convolution(width, width),
            _convolution(width, 2 * width, stride=2),
            _convolution(2 * width, 2 * width),
            _convolution(2 * width, 4 * width, stride=2),
            _convolution(4 * width, 4 * width),
            _convolution(4 * width, 4 * width),
        )
        self.pool = nn.Conv2d(4 * width, 4 * width, map_size, groups=4 * width)
        self.embed = nn.Linear(4 * width, num_features)
        self.classify_head = nn.Linear(num_features, num_classes)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images: the rectified layer before the logits.

        Args:
            images: floating point, in [0, 1], of the network's channels and size.

        Raises:
            InputError: another dtype, another number of channels or another size.
        """
        self._check(images)
        pooled = self.pool(self.trunk(2 * images - 1)).flatten(1)
        return torch.relu(self.embed(pooled))

    def logits(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Unnormalised log-probabilities of the classes."""
        return self.classify_head(self(images))

    def classify(self, images: Float[Tensor, "n c h w"]) -> Int[Tensor, " n"]:
        """The most probable class of each image."""
        return self.logits(images).argmax(dim=1)

    def _check(self, images: Tensor) -> None:
        if not images.is_floating_point():
            raise InputError(
                f"a feature network takes floating-point images in [0, 1], these are {images.dtype}: "
                "divide uint8 images by 255"
            )
        channels, size = self.config["in_channels"], self.config["image_size"]
        if tuple(images.shape[1:]) != (channels, size, size):
            raise InputError(
                f"this feature network takes images of shape [N, {channels}, {size}, {size}], not {list(images.shape)}"
            )
