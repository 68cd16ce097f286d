"""Splats to pixels: the reference renderer, the fused CPU kernel, and the choice between them."""

from gaussiandiffusion.rendering.grid import pixel_centers, to_picture
from gaussiandiffusion.rendering.render import accumulate, render

__all__ = ["accumulate", "pixel_centers", "render", "to_picture"]
