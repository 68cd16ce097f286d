"""torchmetrics fed with features that are there already, instead of images and a network of its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor, nn

from gaussiandiffusion.ground.errors import InputError


class GivenFeatures(nn.Module):
    """The network torchmetrics asks for: none, since features of a set are made once and measured often."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def metric_class(module: str, name: str) -> Any:
    """A class of torchmetrics, imported when it is needed.

    Args:
        module: such as "torchmetrics.image.fid".
        name: of the class in it.

    Raises:
        InputError: torchmetrics is not installed.
    """
    try:
        return getattr(import_module(module), name)
    except ImportError:
        raise InputError("this measure needs torchmetrics: pip install 'gaussiandiffusion[evaluate]'") from None
