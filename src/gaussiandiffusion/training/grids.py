"""Sample grids written while training."""

from __future__ import annotations

from pathlib import Path

from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, to_uint8
from gaussiandiffusion.rendering.media import grid_image

SAMPLES = 64


def save_sample_grid(pipeline: GaussianDiffusionPipeline, path: Path) -> None:
    """Draw the same 64 samples (seed 0, classes in turn) as a PNG grid."""
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(num_samples=SAMPLES).images
    with atomic_path(path) as temporary:
        grid_image(to_uint8(images)).save(temporary, format="PNG")
