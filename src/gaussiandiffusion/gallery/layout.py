"""Where the frames of a sheet lie, and how engines are told: TexturePacker's JSON and Aseprite's.

Rows are animations, columns frames, all cells of one size without gaps. Both files have the rectangles and, as
`frameTags`, the animations. The hash calls frames by names such as walk-front-3 and lists them under `animations` too,
as PixiJS reads them; in the array frames are called by their number, as Phaser's `createFromAseprite` expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMATS = {1: "I8", 3: "RGB888", 4: "RGBA8888"}


@dataclass(frozen=True)
class Strip:
    """One row.

    Attributes:
        name: of the animation.
        durations: of its frames, in milliseconds.
        loops: whether it goes round.
    """

    name: str
    durations: Sequence[int]
    loops: bool


@dataclass(frozen=True)
class Layout:
    """A sheet.

    Attributes:
        strips: its rows.
        width, height: of a cell, in pixels.
        channels: of the picture.
    """

    strips: Sequence[Strip]
    width: int
    height: int
    channels: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        return self.width * max(len(strip.durations) for strip in self.strips), self.height * len(self.strips)

    def frames(self) -> dict[str, dict[str, Any]]:
        """Every frame by name, row by row."""
        cell = {"w": self.width, "h": self.height}
        return {
            f"{strip.name}-{column}": {
                "frame": {"x": column * self.width, "y": row * self.height, **cell},
                "rotated": False,
                "trimmed": False,
                "spriteSourceSize": {"x": 0, "y": 0, **cell},
                "sourceSize": dict(cell),
                "duration": duration,
            }
            for row, strip in enumerate(self.strips)
            for column, duration in enumerate(strip.durations)
        }

    def tags(self) -> list[dict[str, Any]]:
        """The animations as spans of frames; `repeat` "1" plays it once."""
        found, start = [], 0
        for strip in self.strips:
            end = start + len(strip.durations)
            once = {} if strip.loops else {"repeat": "1"}
            found.append({"name": strip.name, "from": start, "to": end - 1, "direction": "forward", **once})
            start = end
        return found

    def meta(self, image: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """What both files say of the sheet."""
        width, height = self.size
        return {
            **more,
            "image": image,
            "format": FORMATS.get(self.channels, "RGB888"),
            "size": {"w": width, "h": height},
            "scale": "1",
            "frameTags": self.tags(),
        }

    def as_hash(self, image: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """TexturePacker's JSON Hash: frames by name.

        Args:
            image: name of the sheet's file.
            more: what else `meta` says.
        """
        named = {s.name: [f"{s.name}-{i}" for i in range(len(s.durations))] for s in self.strips}
        return {"frames": self.frames(), "animations": named, "meta": self.meta(image, more)}

    def as_array(self, image: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """Aseprite's JSON Array, with `{frame}` for item filename: frames by number."""
        frames = [{"filename": str(i), **frame} for i, frame in enumerate(self.frames().values())]
        return {"frames": frames, "meta": self.meta(image, more)}
