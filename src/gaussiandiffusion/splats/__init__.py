"""Ground floor: splat sets, their geometry, their files and their latent form.

`LatentTransform` lives in `gaussiandiffusion.representation.latent` and is not imported here, because it brings
diffusers' model classes with it.
"""

from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.splats import Splats
from gaussiandiffusion.splats.storage import SplatFile

__all__ = ["Canvas", "SplatFile", "Splats"]
