"""The seam: images <-> the tensor a network sees."""

from gaussiandiffusion.representation.base import Representation
from gaussiandiffusion.representation.latent import LatentTransform
from gaussiandiffusion.representation.pixels import PixelRepresentation
from gaussiandiffusion.representation.splats import SplatRepresentation

__all__ = ["LatentTransform", "PixelRepresentation", "Representation", "SplatRepresentation"]
