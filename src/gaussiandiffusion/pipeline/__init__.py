"""Noise to splats to images; saving, loading and naming models."""

from gaussiandiffusion.pipeline.bundled import bundled_models, resolve_model
from gaussiandiffusion.pipeline.output import GaussianDiffusionOutput, SampleState, to_pil
from gaussiandiffusion.pipeline.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.pipeline.request import Run, checked_run

__all__ = [
    "GaussianDiffusionOutput",
    "GaussianDiffusionPipeline",
    "Run",
    "SampleState",
    "bundled_models",
    "checked_run",
    "resolve_model",
    "to_pil",
]
