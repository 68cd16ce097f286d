"""Splats to pixels: the reference renderer, the fused CPU kernel, and the choice between them; pictures and SVG."""

from gaussiandiffusion.rendering.grid import pixel_centers, to_picture
from gaussiandiffusion.rendering.render import FOOTPRINT, Backend, accumulate, kernel_takes, render
from gaussiandiffusion.rendering.svg import to_svg

__all__ = ["FOOTPRINT", "Backend", "accumulate", "kernel_takes", "pixel_centers", "render", "to_picture", "to_svg"]
