"""How benchmarks draw samples from models and weigh them: the same way everywhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.diffusion import Guidance, passes
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusionOutput, GaussianDiffusionPipeline


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn."""

    scheduler: str
    steps: int
    guidance: float = 1.0
    low: float = 0.0
    high: float = 1.0

    @property
    def words(self) -> str:
        words = f"{self.scheduler} {self.steps}"
        if self.guidance != 1:
            words += f", guidance {self.guidance:g}"
        if (self.low, self.high) != (0, 1):
            words += f" from {self.low:g} to {self.high:g}"
        return words

    @classmethod
    def of(cls, record: dict[str, Any]) -> Sampling:
        """As a result tells it."""
        return cls(*(record[field.name] for field in fields(cls)))


def network_passes(pipeline: GaussianDiffusionPipeline, sampling: Sampling) -> int:
    """Passes of the network for one image."""
    return passes(pipeline.scheduler, sampling.steps, Guidance(sampling.guidance, sampling.low, sampling.high))


def generate(
    pipeline: GaussianDiffusionPipeline,
    sampling: Sampling,
    num: int,
    seed: int,
    *,
    half: bool = True,
    conditions: dict[str, list[int]] | None = None,
) -> ImageSet:
    """Images as saved, the network in bfloat16 (or, not `half`, in float32)."""
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        out = pipeline(
            num_samples=num,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            guidance_interval=(sampling.low, sampling.high),
            seed=seed,
            conditions=conditions,
        )
    return as_images(out, "generated")


def as_images(out: GaussianDiffusionOutput, name: str) -> ImageSet:
    """Samples as images, with the conditions that were asked for, none of them open."""
    images, asked = to_uint8(out.images).numpy(), out.conditions
    if asked is None or not asked.spec:
        return ImageSet(images, name=name)
    return ImageSet(images, ConditionColumns(asked.spec, asked.values.numpy()), name)


def asked_like(images: ImageSet) -> dict[str, list[int]]:
    """The conditions of images, as a pipeline is asked for them."""
    assert images.conditions is not None
    return dict(zip(images.conditions.spec.attributes, images.conditions.values.T.tolist(), strict=True))


def some(images: ImageSet, num: int, seed: int = 0) -> ImageSet:
    """A random part in its order (MNIST's first test images are easier than the rest), or all."""
    if num >= len(images):
        return images
    return images[np.sort(np.random.default_rng(seed).choice(len(images), num, replace=False))]
