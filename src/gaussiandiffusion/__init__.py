"""Image generation in the space of 2D Gaussians.

Encode images as sets of splats, learn to generate such sets, render them at any resolution:

    import gaussiandiffusion as gd

    pipe = gd.GaussianDiffusionPipeline.from_pretrained("mnist")
    out = pipe(num_samples=16, class_labels=3, seed=0)
    out.splats.save("threes.safetensors")

Importing the package is cheap; PyTorch is loaded when something is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gaussiandiffusion.encoding import Encoder, encode
    from gaussiandiffusion.ground.errors import InputError
    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.rendering import render, to_svg
    from gaussiandiffusion.splats import Canvas, Splats

__version__ = "0.1.0"

_HOME = {
    "Canvas": "splats",
    "Encoder": "encoding",
    "GaussianDiffusionPipeline": "pipeline",
    "InputError": "ground.errors",
    "Splats": "splats",
    "encode": "encoding",
    "render": "rendering",
    "to_svg": "rendering",
}

__all__ = [
    "Canvas",
    "Encoder",
    "GaussianDiffusionPipeline",
    "InputError",
    "Splats",
    "encode",
    "render",
    "to_svg",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gaussiandiffusion' has no attribute '{name}'")
    return getattr(import_module(f"gaussiandiffusion.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
