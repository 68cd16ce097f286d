"""Ground floor: splat sets, their geometry, their files and their latent form.

`LatentTransform` lives in `gaussiandiffusion.representation.latent` and is not imported here, because it brings
diffusers' model classes with it. Names are passed on lazily: which files hold sets is asked before PyTorch is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.splats.canvas import Canvas
    from gaussiandiffusion.splats.splats import Splats
    from gaussiandiffusion.splats.storage import SplatFile

__all__ = ["Canvas", "SplatFile", "Splats"]

__getattr__, __dir__ = lazily(__name__, {"Canvas": "canvas", "Splats": "splats", "SplatFile": "storage"})
