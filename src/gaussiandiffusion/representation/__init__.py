"""The seam: images <-> the tensor a network sees."""

from gaussiandiffusion.representation.splats import SplatRepresentation

__all__ = ["SplatRepresentation"]
