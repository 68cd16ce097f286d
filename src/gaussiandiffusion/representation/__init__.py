"""The seam: images <-> the tensor a network sees."""

from gaussiandiffusion.representation.fingerprint import fingerprint
from gaussiandiffusion.representation.pixels import PixelRepresentation
from gaussiandiffusion.representation.splats import SplatRepresentation

Representation = SplatRepresentation | PixelRepresentation

__all__ = ["PixelRepresentation", "Representation", "SplatRepresentation", "fingerprint"]
