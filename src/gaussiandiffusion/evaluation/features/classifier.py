"""The training of a classifier: one fixed schedule, exponentially averaged weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from gaussiandiffusion.data.affine import random_affine
from gaussiandiffusion.evaluation.features.inputs import unit_images
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.recipes import STILL, ClassifierConfig
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

WHITENED_IMAGES, SMALLEST_VARIANCE = 2000, 1e-3


def train_classifier(
    images: UInt8[np.ndarray, "n c h w"],
    conditions: ConditionColumns | None,
    config: ClassifierConfig,
    on_epoch: Callable[[int, float], None] | None = None,
) -> FeatureNetwork:
    """Train a network on all attributes and return its exponentially averaged weights.

    Equal arguments and thread counts give equal weights, which are float32 whatever convolutions run in.

    Args:
        images: square, of the train split.
        conditions: what each shows.
        config: the schedule.
        on_epoch: called after each epoch with its number, from 1, and its mean loss.

    Raises:
        InputError: labels are missing, or the images are not square.
    """
    if conditions is None or not conditions.spec or len(conditions.values) != len(images) or len(images) < 2:
        raise InputError("a classifier needs at least two images and one label for each")
    if images.shape[2] != images.shape[3]:
        raise InputError(f"a feature network needs square images, these are {list(images.shape[2:])}")
    generator = torch.Generator().manual_seed(config.seed)
    network = _new_network(images, conditions, config).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]  # not in its signature
    pixels, targets = unit_images(images), torch.from_numpy(conditions.values)
    if config.whiten:
        whiten(network, pixels[:WHITENED_IMAGES])
    average = copy.deepcopy(network).eval()
    optimizer = _optimizer(network, config)
    steps = config.epochs * math.ceil(len(images) / config.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=steps, pct_start=config.warmup,
        cycle_momentum=config.optimizer == "adamw",
    )  # fmt: skip
    step = 0
    for epoch in range(1, config.epochs + 1):
        total = 0.0
        for chosen in _batches(len(images), config.batch_size, generator):
            batch = _augmented(pixels[chosen], config, generator)
            with torch.autocast("cpu", torch.bfloat16) if config.mixed_precision == "bf16" else nullcontext():
                logits = network.logits(batch.to(memory_format=torch.channels_last))
            loss = _loss(logits.float() * config.logit_scale, targets[chosen], network.spec.sizes, config)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            _update_average(average, network, min(config.ema_decay, step / (step + 10)))
            total += float(loss.detach()) * len(chosen)
        if on_epoch:
            on_epoch(epoch, total / len(images))
    with torch.no_grad():
        for weight in average.classify_head.parameters():
            weight *= config.logit_scale
    return average


@torch.no_grad()
def whiten(network: FeatureNetwork, images: Float[Tensor, "n c h w"]) -> None:
    """Let the first convolution make principal components of 3x3 pixels, each with both signs, and never learn.

    Source: Page, "How to train your ResNet", 2019, part 8; Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, 3.2.
    """
    first = network.trunk[0][0].weight  # type: ignore[index]  # a convolution, normalisation and a rectifier
    patches = torch.nn.functional.unfold(2 * images - 1, 3).transpose(1, 2).flatten(0, 1)  # (p, c 3 3)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T).double())
    half = first.shape[0] // 2
    if 2 * half != first.shape[0] or half > len(values):
        raise InputError(f"{first.shape[0]} first channels cannot be principal components: an even number of at most "
                         f"{2 * len(values)} can")  # fmt: skip
    scaled = (vectors / (values + SMALLEST_VARIANCE).sqrt()).T.flip(0)[:half].to(first.dtype)
    first.copy_(torch.cat([scaled, -scaled]).view_as(first))
    first.requires_grad_(False)


def _new_network(images: np.ndarray, conditions: ConditionColumns, config: ClassifierConfig) -> FeatureNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return FeatureNetwork(
            in_channels=images.shape[1],
            image_size=images.shape[2],
            num_features=config.num_features,
            width=config.width,
            conditions=conditions.spec.to_dict(),
            channels=None if config.channels is None else list(config.channels),
            strides=None if config.strides is None else list(config.strides),
            pooling=config.pooling,
            mirrored=config.mirrored,
        )


def _optimizer(network: FeatureNetwork, config: ClassifierConfig) -> torch.optim.Optimizer:
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(learned, 1.0, momentum=0.9, weight_decay=config.weight_decay, nesterov=True)
    return torch.optim.AdamW(learned, weight_decay=config.weight_decay)


def _augmented(images: Tensor, config: ClassifierConfig, generator: torch.Generator) -> Tensor:
    if config.affine != STILL:
        images = random_affine(images, config.affine, generator)
    if config.flip:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if config.crop:
        images = _shifted(images, config.crop, generator)
    return images


def _shifted(images: Float[Tensor, "n c h w"], most: int, generator: torch.Generator) -> Float[Tensor, "n c h w"]:
    """Each image shifted by whole pixels, at most so many along each axis, mirrored at the edge."""
    count, _, height, width = images.shape
    down, across = torch.randint(2 * most + 1, (2, count, 1), generator=generator)
    padded = torch.nn.functional.pad(images, (most,) * 4, mode="reflect")
    rows, columns = down + torch.arange(height), across + torch.arange(width)  # (n, h), (n, w)
    moved = padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]  # (n, h, w, c)
    return moved.permute(0, 3, 1, 2)


def _loss(
    logits: Float[Tensor, "n values"], targets: Int[Tensor, "n a"], sizes: tuple[int, ...], config: ClassifierConfig
) -> Float[Tensor, ""]:
    """The sum of the attributes' cross entropies."""
    each = [
        torch.nn.functional.cross_entropy(part, targets[:, place], label_smoothing=config.label_smoothing)
        for place, part in enumerate(logits.split(sizes, dim=1))
    ]
    return torch.stack(each).sum()


def _batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    yield from torch.randperm(count, generator=generator).split(batch_size)


@torch.no_grad()
def _update_average(average: FeatureNetwork, network: FeatureNetwork, decay: float) -> None:
    state = network.state_dict()
    for name, kept in average.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(state[name], 1 - decay)
        else:
            kept.copy_(state[name])
