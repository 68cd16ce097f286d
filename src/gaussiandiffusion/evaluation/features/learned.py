"""Features learned from the reference itself, for images that no network was made for.

A small classifier if the reference has classes, else a small autoencoder whose bottleneck the features are. Numbers in
such a space compare only with numbers in the same one: the same reference, count and seed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.features.autoencoder import train_autoencoder
from gaussiandiffusion.evaluation.features.classifier import train_classifier
from gaussiandiffusion.evaluation.features.inputs import unit_images
from gaussiandiffusion.evaluation.features.network import FEATURE_LAYER, FeatureNetwork
from gaussiandiffusion.evaluation.features.recipes import STILL, ClassifierConfig
from gaussiandiffusion.evaluation.features.spaces import FeatureSpace
from gaussiandiffusion.evaluation.measures.accuracy import label_accuracy
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

SMALLEST_SIDE, LARGEST_SIDE = 8, 32  # pixels; what is larger is shrunk
FEWEST_IMAGES, FEWEST_OF_A_CLASS = 32, 16
FEWEST_FEATURES, MOST_FEATURES = 8, 64
STEPS, BATCH_SIZE = 1200, 64  # one to two minutes on a core
MOST_EPOCHS = 60
HELD_OUT = 0.1


class Shown(nn.Module):
    """A feature network of small squares for images of any shape: they are resized, and colours weighted by alpha.

    Args:
        network: for squares of the images' channels.
    """

    def __init__(self, network: FeatureNetwork) -> None:
        super().__init__()
        self.network = network
        self.num_features = network.num_features

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images in [0, 1]."""
        return self.network(squares(images, self.network.config["image_size"]))


class Judging(Shown):
    """The same of a classifier."""

    def __init__(self, network: FeatureNetwork) -> None:
        super().__init__(network)
        self.spec = network.spec

    @property
    def classify_head(self) -> nn.Module:
        """From features to logits."""
        return self.network.classify_head

    def most_probable(self, logits: Float[Tensor, "n values"]) -> Tensor:
        """The value of each attribute with the largest logit, [N, A]."""
        return self.network.most_probable(logits)

    def classify(self, images: Float[Tensor, "n c h w"]) -> Tensor:
        """The most probable value of each attribute, [N, A]."""
        return self.network.classify(squares(images, self.network.config["image_size"]))


def squares(images: Float[Tensor, "n c h w"], side: int) -> Float[Tensor, "n c side side"]:
    """Images as a network of squares sees them; what an alpha of 0 hides does not count."""
    if images.shape[1] == 4:
        images = torch.cat([images[:, :3] * images[:, 3:], images[:, 3:]], dim=1)
    if images.shape[2:] == (side, side):
        return images
    shown = torch.nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return shown.clamp(0, 1)


def learn_features(real: ImageSet, num: int, seed: int = 0) -> FeatureSpace:
    """Learn a feature space from images, a tenth of which are held out to say how well.

    Args:
        real: the reference.
        num: images that will be compared; there are at most a quarter as many features.
        seed: of everything drawn.

    Raises:
        InputError: too few images.
    """
    if min(num, len(real)) < FEWEST_IMAGES:
        raise InputError(
            f"{real.name}: {min(num, len(real))} images are too few to learn features from; give at least "
            f"{FEWEST_IMAGES}"
        )
    _, _, height, width = real.images.shape
    side = min(LARGEST_SIDE, max(SMALLEST_SIDE, height, width))
    order = np.random.default_rng(seed).permutation(len(real))
    kept = np.sort(order[int(HELD_OUT * len(real)) :])
    held = np.sort(order[: int(HELD_OUT * len(real))])
    pictures = _squared(real.images, side)
    epochs = min(MOST_EPOCHS, max(1, round(STEPS * BATCH_SIZE / len(kept))))
    config = ClassifierConfig(
        source=real.name, out=Path(), seed=seed, epochs=epochs, batch_size=BATCH_SIZE, width=12,
        num_features=max(FEWEST_FEATURES, min(MOST_FEATURES, num // 4)), ema_decay=0.98, affine=STILL, crop=1,
        mixed_precision="no",
    )  # fmt: skip
    classes = _learnable(real.conditions)
    told: dict[str, Any] = {"seed": seed, "epochs": epochs, "images": len(kept), "held_out": len(held)}
    if classes is None:
        network, psnr = train_autoencoder(pictures[kept], pictures[held], config)
        told |= {"held_out_psnr": psnr}
        _scale(network, pictures[kept])
        return _space(f"self-autoencoder({real.name})", "bottleneck", Shown(network), told)
    network = train_classifier(pictures[kept], classes.take(kept), config)
    told |= {"held_out_accuracy": label_accuracy(network.eval(), pictures[held], classes.values[held])}
    return _space(f"self-classifier({real.name})", FEATURE_LAYER, Judging(network), told)


def _learnable(conditions: ConditionColumns | None) -> ConditionColumns | None:
    """The attributes of which two values or more have enough images."""
    if conditions is None:
        return None
    counts = {name: np.bincount(conditions.values[:, place]) for place, name in enumerate(conditions.spec.attributes)}
    few = [name for name, count in counts.items() if (count >= FEWEST_OF_A_CLASS).sum() < 2]
    left = conditions.without(few)
    return left if left.spec else None


def _squared(images: UInt8[np.ndarray, "n c h w"], side: int) -> UInt8[np.ndarray, "n c side side"]:
    parts = [squares(unit_images(images[i : i + 1024]), side) for i in range(0, len(images), 1024)]
    return torch.cat([(part * 255).round().byte() for part in parts]).numpy()


@torch.no_grad()
def _scale(network: FeatureNetwork, images: UInt8[np.ndarray, "n c side side"]) -> None:
    """Let features have a variance of 1 on average: nothing else gives a bottleneck a scale."""
    parts = [network(unit_images(images[i : i + 1024])) for i in range(0, len(images), 1024)]
    deviation = torch.cat(parts).var(dim=0).mean().sqrt().clamp_min(1e-6)
    for weight in network.embed.parameters():  # the rectifier behind it keeps factors
        weight.div_(deviation)


def _space(name: str, layer: str, network: Shown, told: dict[str, Any]) -> FeatureSpace:
    network = network.eval().requires_grad_(False).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in its signature
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    return FeatureSpace(name, layer, network, hashlib.sha256(safetensors.torch.save(state)).hexdigest(), told)
