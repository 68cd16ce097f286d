"""How sets show themselves: a line of text, a picture in notebooks, and a plot of their ellipses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from gaussiandiffusion.ground.views import view
from gaussiandiffusion.splats.canvas import Canvas

if TYPE_CHECKING:
    from PIL import Image

MODES = {1: "grey", 3: "RGB", 4: "RGBA"}


class Displayed:
    """What `Splats` shows of itself; the drawing is in `rendering.notebook`."""

    means: Tensor
    canvas: Canvas
    opacities: Any
    blending: Any
    output: Any

    def __repr__(self) -> str:
        (n, k, _), canvas = self.means.shape, self.canvas
        return (
            f"Splats({n} {'set' if n == 1 else 'sets'} of {k}{'' if self.opacities is None else ' with opacities'}, "
            f"{canvas.height}x{canvas.width} {MODES[canvas.channels]}, {self.blending}, {self.output}, "
            f"{str(self.means.dtype).removeprefix('torch.')} on {self.means.device})"
        )

    def _repr_png_(self) -> bytes | None:
        """The first sets as a grid, for notebooks; None where there is nothing to see."""
        shown: bytes | None = view("png")(self)
        return shown

    def plot(self, size: int | None = None, *, sigmas: float = 1.0) -> Image.Image:
        """The first sets, darkened, with an ellipse around every splat that can be seen, in a colour of its slot.

        Args:
            size: longer side of each picture in pixels; default: 256 in all.
            sigmas: at which the ellipses lie, > 0.

        Returns:
            A PIL image in RGB, which notebooks show and `.save` writes.

        Raises:
            InputError: there is no set, or a size or number of sigmas that is none.
        """
        picture: Image.Image = view("plot")(self, size, sigmas=sigmas)
        return picture
