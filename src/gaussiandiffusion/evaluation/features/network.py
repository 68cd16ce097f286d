"""A small classifier whose penultimate layer is the ruler of our Fréchet distances."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.errors import InputError

MAX_FEATURES = 256
FEATURE_LAYER = "penultimate"
WIDENING, STRIDES = (1, 1, 2, 2, 4, 4, 4), (1, 1, 2, 1, 2, 1, 1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class FeatureNetwork(Component):
    """Seven 3x3 convolutions at three resolutions, a learned pooling by place, and two linear layers.

    Where a feature lies matters for digits and sprites, so the last map is not averaged: each channel has
    its own weight for every place (a depthwise convolution as large as the map). In photographs things lie
    anywhere: with `pooling="max"` the features are the largest values of the last map's channels.

    Args:
        in_channels: colour channels of the images.
        image_size: height and width of the images in pixels; at least 8.
        num_classes: length of the logits, where there is one attribute without names.
        num_features: length of the feature vector, at most 256, so that a covariance of it can be estimated
            from a few thousand images.
        width: channels of the first two convolutions; the following ones have twice and four times as many.
        conditions: attributes that are told and the names of their values, instead of `num_classes`; the logits
            of one attribute follow those of another.
        channels: of each convolution, instead of `width`.
        strides: of each convolution.
        pooling: of the last map: "place", or "max", and then `num_features` are the last channels.
        mirrored: features are the mean of an image's and of its mirror image's, where the two show the same; while it
            is trained, the image's alone.

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
        conditions: dict[str, list[str]] | None = None,
        channels: list[int] | None = None,
        strides: list[int] | None = None,
        pooling: Literal["place", "max"] = "place",
        mirrored: bool = False,
    ) -> None:
        super().__init__()
        channels = [width * times for times in WIDENING] if channels is None else channels
        strides = list(STRIDES) if strides is None else strides
        self.spec = ConditionSpec.of_classes(num_classes) if conditions is None else ConditionSpec(conditions)
        outputs = sum(self.spec.sizes)
        if not 1 <= num_features <= MAX_FEATURES:
            raise InputError(f"num_features={num_features}: choose between 1 and {MAX_FEATURES}")
        if max(in_channels, image_size, outputs, *channels) > 65_536:
            raise InputError("channels, image_size and num_classes of a feature network end at 65536")
        if image_size < 8:
            raise InputError(f"image_size={image_size}: a feature network needs images of at least 8 pixels")
        if min(in_channels, outputs, *channels, *strides) < 1:
            raise InputError("channels, strides, width and num_classes of a feature network must be positive")
        if len(channels) != len(strides):
            raise InputError(f"{len(channels)} channels and {len(strides)} strides: a convolution has one of each")
        if pooling == "max" and num_features != channels[-1]:
            raise InputError(f"num_features={num_features}: pooled by max there are as many as last channels, "
                             f"{channels[-1]}")  # fmt: skip
        self.num_features = num_features  # torchmetrics asks for it
        self.mirrored = mirrored
        self.trunk = nn.Sequential(
            *(_convolution(*each) for each in zip([in_channels, *channels[:-1]], channels, strides, strict=True))
        )
        last, map_size = channels[-1], image_size
        for stride in strides:
            map_size = -(-map_size // stride)
        self.pool: nn.Module = nn.AdaptiveMaxPool2d(1)
        self.embed: nn.Module = nn.Identity()
        if pooling == "place":
            self.pool = nn.Conv2d(last, last, map_size, groups=last)
            self.embed = nn.Linear(last, num_features)
        self.classify_head = nn.Linear(num_features, outputs)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images: the rectified layer before the logits.

        Args:
            images: floating point, in [0, 1], of the network's channels and size.

        Raises:
            InputError: another dtype, another number of channels or another size.
        """
        self._check(images)
        if self.mirrored and not self.training:
            return (self._seen(images) + self._seen(images.flip(3))) / 2
        return self._seen(images)

    def _seen(self, images: Tensor) -> Float[Tensor, "n f"]:
        pooled = self.pool(self.trunk(2 * images - 1)).flatten(1)
        return torch.relu(self.embed(pooled))

    def logits(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n values"]:
        """Unnormalised log-probabilities of the values of all attributes, one attribute after another."""
        return self.classify_head(self(images))

    def classify(self, images: Float[Tensor, "n c h w"]) -> Int[Tensor, "n a"]:
        """The most probable value of each attribute."""
        return self.most_probable(self.logits(images))

    def most_probable(self, logits: Float[Tensor, "n values"]) -> Int[Tensor, "n a"]:
        """The value of each attribute with the largest logit."""
        return torch.stack([each.argmax(dim=1) for each in logits.split(self.spec.sizes, dim=1)], dim=1)

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
