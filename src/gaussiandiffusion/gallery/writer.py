"""Writing a gallery, batch by batch as samples are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gaussiandiffusion.gallery.folder import (
    PICTURES,
    RECORD_FILE,
    SampleRecord,
    is_gallery,
    picture_name,
    record_values,
)
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusionOutput
from gaussiandiffusion.rendering import to_svg
from gaussiandiffusion.rendering.media import grid_image, save_animation, save_png, to_image
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.splats.storage import Header

GRID = 100  # pictures on the grid and in the animation, at most
OWN = (f"{PICTURES}/[0-9]*.png", "svg/[0-9]*.svg", "materialisation.*", "interpolation.gif", "splats.safetensors")
GRID_PIXELS = 1000  # width the grid is enlarged toward, by whole pixels


@dataclass
class GalleryWriter:
    """A gallery in the making.

    Args:
        folder: to write to; what an earlier gallery left in it goes.
        num: samples there will be.

    Raises:
        InputError: the folder is a file.
    """

    folder: Path
    num: int
    written: list[str] = field(default_factory=lambda: ["grid.png", f"{PICTURES}/"])
    _sets: list[Splats] = field(default_factory=list)
    _conditions: list[Conditions] = field(default_factory=list)
    _first: list[Tensor] = field(default_factory=list)  # pictures of the grid, 8-bit [C, H, W]
    _states: list[Any] = field(default_factory=list)  # of the animation, noise first

    def __post_init__(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: is a file; --out names a folder")
        if is_gallery(self.folder):
            for pattern in OWN:
                for path in self.folder.glob(pattern):
                    path.unlink()

    def add(self, out: GaussianDiffusionOutput, start: int) -> None:
        """Save a batch's pictures, and keep its sets; samples come in order, this batch's from number `start`."""
        pixels = to_uint8(out.images)
        for i, picture in enumerate(pixels, start):
            save_png(to_image(picture), self.folder / PICTURES / f"{picture_name(i, self.num)}.png")
        if out.splats is not None:
            self._sets.append(out.splats.to("cpu"))
        if out.conditions is not None:
            self._conditions.append(out.conditions)
        if len(self._first) < GRID:
            self._first.extend(pixels[: GRID - len(self._first)])
        if out.trajectory is not None:
            self._states = [state[:GRID] for state in out.trajectory]

    @property
    def conditions(self) -> Conditions | None:
        """Of all samples so far."""
        return Conditions.cat(self._conditions) if self._conditions else None

    @property
    def _scale(self) -> int:
        return max(1, GRID_PIXELS // (10 * self._first[0].shape[-1]))

    def write_grid(self) -> None:
        """The first pictures side by side."""
        save_png(grid_image(torch.stack(self._first), scale=self._scale), self.folder / "grid.png")

    def write_sets(
        self,
        source: dict[str, Any],
        model: str,
        *,
        svg: bool = False,
        size: int | None = None,
        template: str | None = None,
    ) -> None:
        """The sets, where there are any, as a file and as SVG.

        Args:
            source: what the file's header says of how they were made.
            template: checksum of the template that their slots come from, as headers of encoded sets have it.
        """
        if not self._sets:
            return
        splats = Splats.cat(self._sets)
        path = self.folder / "splats.safetensors"
        encoder = {"model": model} | ({} if template is None else {"template_sha256": template})
        splats.save(path, conditions=self.conditions, encoder=encoder, source=source)
        self.written.append(path.name)
        if svg:
            header = Header.of(splats, signed=False, encoder=encoder, source=source)
            for i in range(len(splats)):
                to_svg(splats[i], self.folder / "svg" / f"{picture_name(i, self.num)}.svg", size=size, header=header)
            self.written.append("svg/")

    def write_animation(
        self,
        representation: Representation[Any],
        *,
        gif: bool,
        mp4: bool,
        apng: bool = False,
        size: int | None = None,
    ) -> None:
        """The sheets of all steps that were kept."""
        if not self._states:
            return
        scale = max(1, self._scale // 2)
        sheets = [grid_image(to_uint8(representation.draw(state, size)), scale=scale) for state in self._states]
        for suffix, wanted in ((".gif", gif), (".mp4", mp4), (".apng", apng)):
            if wanted:
                save_animation(sheets, self.folder / f"materialisation{suffix}")
                self.written.append(f"materialisation{suffix}")

    def write_record(self, record: SampleRecord) -> None:
        """The last thing: a folder with it is a gallery."""
        write_json(self.folder / RECORD_FILE, record_values(record))
        self.written.append(RECORD_FILE)
