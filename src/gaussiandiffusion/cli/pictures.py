"""The first pictures of any source, for verbs that show them; sets of a file are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gaussiandiffusion.cli.reading import SetFlags
from gaussiandiffusion.data.framing import CHANNELS_OF, Framing
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from numpy import ndarray

    from gaussiandiffusion.splats import Canvas


@dataclass(frozen=True)
class SourceReader:
    """How sources are read, as the flags say.

    Attributes:
        split: of a data set, "train" or "test".
        data_dir: folder with local copies of it.
        framing: size and mode to bring pictures to.
        reading: what files of other systems do not say.
    """

    split: str
    data_dir: Path | None
    framing: Framing
    reading: SetFlags

    def first(self, source: str, limit: int, canvas: Canvas | None = None) -> UInt8[ndarray, "n c h w"]:
        """At most so many pictures.

        Args:
            canvas: of the model that they are for.

        Raises:
            InputError: nothing readable is there, or the pictures are of another size or mode than the canvas.
        """
        from gaussiandiffusion.data import ImageSet, ImageSource, open_images
        from gaussiandiffusion.data.framed import framed
        from gaussiandiffusion.data.sets import holds_sets
        from gaussiandiffusion.gallery import picture_folder
        from gaussiandiffusion.ground.images import to_uint8

        if holds_sets(source):
            from gaussiandiffusion.rendering import render
            from gaussiandiffusion.splats.formats import open_sets, sets_of

            path = Path(source).expanduser()
            drawn = to_uint8(render(sets_of(open_sets(path, self.reading.reading()), path, limit).splats)).numpy()
            images = framed(ImageSource.of(ImageSet(drawn, name=path.name)), self.framing).read().images
        else:
            self.reading.refuse(source, "pictures")
            opened = open_images(
                str(picture_folder(source)), split=self.split, data_dir=self.data_dir, limit=limit, framing=self.framing
            )
            images = opened.read().images
        if canvas is not None and images.shape[1:] != (canvas.channels, canvas.height, canvas.width):
            mode = next(mode for mode, channels in CHANNELS_OF.items() if channels == canvas.channels)
            channels, height, width = images.shape[1:]
            side = canvas.longer_side
            raise InputError(
                f"{source}: pictures of {width}x{height} pixels and {channels} channels, and the model draws "
                f"{canvas.width}x{canvas.height} and {canvas.channels}; give --canvas {side} --mode {mode}"
            )
        return images
