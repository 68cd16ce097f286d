"""Noise to splats to images; saving, loading and naming models."""

from gaussiandiffusion.pipeline.bundled import bundled_models, resolve_model
from gaussiandiffusion.pipeline.pipeline import (
    GaussianDiffusionOutput,
    GaussianDiffusionPipeline,
    to_pil,
    to_uint8,
)

__all__ = [
    "GaussianDiffusionOutput",
    "GaussianDiffusionPipeline",
    "bundled_models",
    "resolve_model",
    "to_pil",
    "to_uint8",
]
