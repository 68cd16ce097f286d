"""A small autoencoder: its encoder is a feature network, its bottleneck the features."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from gaussiandiffusion.evaluation.features.inputs import unit_images
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.recipes import ClassifierConfig

MAP = 4  # pixels of the decoder's first map


class Decoder(nn.Module):
    """From features back to squares: a linear layer to 4x4 places, then convolutions at twice the size each time.

    Args:
        num_features: length of a feature vector.
        channels: of the images.
        side: of the images, in pixels.
        width: channels at the full size.
    """

    def __init__(self, num_features: int, channels: int, side: int, width: int) -> None:
        super().__init__()
        self.side = side
        self.first = nn.Linear(num_features, 4 * width * MAP * MAP)
        layers: list[nn.Module] = []
        inputs = 4 * width
        for outputs in (4 * width, 2 * width, width)[: max(1, math.ceil(math.log2(side / MAP)))]:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(inputs, channels, 3, padding=1)

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n c side side"]:
        """Images, not clamped."""
        maps = self.layers(self.first(features).view(len(features), -1, MAP, MAP))
        return self.last(torch.nn.functional.interpolate(maps, (self.side, self.side), mode="bilinear"))


def train_autoencoder(
    images: UInt8[np.ndarray, "n c side side"],
    held: UInt8[np.ndarray, "m c side side"],
    config: ClassifierConfig,
) -> tuple[FeatureNetwork, float]:
    """Train on images to give them back.

    Args:
        images: squares.
        held: others, to measure by.
        config: seed, epochs, sizes and rates.

    Returns:
        The encoder, and the PSNR in dB of the held-out images decoded.
    """
    _, channels, side, _ = images.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = FeatureNetwork(channels, side, num_classes=1, num_features=config.num_features, width=config.width)
        decoder = Decoder(config.num_features, channels, side, config.width)
    network.classify_head.requires_grad_(False)
    generator = torch.Generator().manual_seed(config.seed)
    learned = [*network.train().parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(learned, weight_decay=config.weight_decay)
    steps = config.epochs * math.ceil(len(images) / config.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps)
    pixels = unit_images(images)
    for _ in range(config.epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(config.batch_size):
            batch = pixels[chosen]
            loss = torch.nn.functional.mse_loss(decoder(network(batch)), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        wanted = unit_images(held)
        error = torch.nn.functional.mse_loss(decoder(network(wanted)).clamp(0, 1), wanted)
    return network, float(-10 * torch.log10(error.clamp_min(1e-10)))
