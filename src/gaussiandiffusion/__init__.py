"""Image generation in the space of 2D Gaussians.

Encode images as sets of splats, learn to generate such sets, render them at any resolution:

    import gaussiandiffusion as gd

    pipe = gd.GaussianDiffusionPipeline.from_pretrained("mnist")
    out = pipe(num_samples=16, class_labels=3, seed=0)
    out.splats.save("threes.safetensors")

Importing the package is cheap; PyTorch is loaded when something is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily
from gaussiandiffusion.ground.set_readers import register
from gaussiandiffusion.ground.views import register_views

if TYPE_CHECKING:
    from gaussiandiffusion import edit
    from gaussiandiffusion.encoding import Encoder, encode
    from gaussiandiffusion.ground.errors import InputError
    from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionPipeline
    from gaussiandiffusion.rendering import render, to_svg
    from gaussiandiffusion.splats import Canvas, Splats

__version__ = "0.1.0"

__all__ = [
    "Canvas",
    "Encoder",
    "GaussianDiffusion",
    "GaussianDiffusionPipeline",
    "InputError",
    "Splats",
    "edit",
    "encode",
    "render",
    "to_svg",
]

register(
    {
        ".pt": "gaussiandiffusion.published.torch_files:open_torch",
        ".pth": "gaussiandiffusion.published.torch_files:open_torch",
        ".tar": "gaussiandiffusion.published.torch_files:open_torch",
        ".h5": "gaussiandiffusion.published.hdf5_files:open_hdf5",
        ".hdf5": "gaussiandiffusion.published.hdf5_files:open_hdf5",
        ".json": "gaussiandiffusion.splats.json_files:open_json",
        ".svg": "gaussiandiffusion.rendering.svg_reading:open_svg",
    },
    one_set_files=(".pt",),
)
register_views(
    {
        "plot": "gaussiandiffusion.rendering.notebook:plot",
        "png": "gaussiandiffusion.rendering.notebook:sets_png",
    }
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Canvas": "splats",
        "Encoder": "encoding",
        "GaussianDiffusion": "pipeline",
        "GaussianDiffusionPipeline": "pipeline",
        "InputError": "ground.errors",
        "Splats": "splats",
        "edit": "",
        "encode": "encoding",
        "render": "rendering",
        "to_svg": "rendering",
    },
)
