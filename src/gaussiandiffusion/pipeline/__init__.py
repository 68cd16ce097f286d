"""Noise to splats to images; saving, loading and naming models. Importing it is cheap; so is looking for a name."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.pipeline.bundled import bundled_models, resolve_model
    from gaussiandiffusion.pipeline.model import GaussianDiffusion
    from gaussiandiffusion.pipeline.output import GaussianDiffusionOutput, SampleState, to_pil
    from gaussiandiffusion.pipeline.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.pipeline.request import Run, checked_run

__all__ = [
    "GaussianDiffusion",
    "GaussianDiffusionOutput",
    "GaussianDiffusionPipeline",
    "Run",
    "SampleState",
    "bundled_models",
    "checked_run",
    "resolve_model",
    "to_pil",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "GaussianDiffusion": "model",
        "GaussianDiffusionOutput": "output",
        "GaussianDiffusionPipeline": "pipeline",
        "Run": "request",
        "SampleState": "output",
        "bundled_models": "bundled",
        "checked_run": "request",
        "resolve_model": "bundled",
        "to_pil": "output",
    },
)
