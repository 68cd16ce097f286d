"""`PublishedSource`: sets of a published file as `Splats`, with what the file does not say guessed and told."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.drawing import is_direct, to_splats
from gaussiandiffusion.published.gaussianimage import rotated_splats
from gaussiandiffusion.published.refit import refit
from gaussiandiffusion.published.rows import Rows, channels_of, drawn_rows, seem_raw, unsound
from gaussiandiffusion.splats import Canvas, SplatFile
from gaussiandiffusion.splats.set_source import PART, Reading
from gaussiandiffusion.splats.splats import Output
from gaussiandiffusion.splats.storage import Header

SIDES = {1: 28, 3: 32}  # of pictures, where nobody says: MNIST, and Sprites or CIFAR-10
RAW_KERNEL = 17  # of the paper's samplers
ROWS = 2**19  # read at once
OUTPUTS: dict[str, Output] = {"hard": "clamp", "soft": "soft"}


@dataclass(frozen=True)
class Said:
    """What a file says of itself, or what is usual for its kind.

    Attributes:
        kind: in words.
        kernel_size, clamp: of the drawing; the kernel of numbers as drawn, where those tell which they are.
        values: None: told by the numbers.
        canvas: (height, width); None: the usual of grey and of colour. Only files that we wrote say it.
        angles: rows hold sigmas in pixels and an angle in place of rho, for the renderer of GaussianImage_RS.
    """

    kind: str
    kernel_size: int
    clamp: Literal["hard", "soft"]
    values: Literal["final", "raw"] | None = None
    canvas: tuple[int, int] | None = None
    angles: bool = False


@runtime_checkable
class RowFile(Protocol):
    """A published file, opened.

    Attributes:
        path: the file or folder.
        said: what it says of itself.
        rows: of the largest set.
        columns: numbers a row.
        notes: what was left out so far.
    """

    path: Path
    said: Said
    rows: int
    columns: int
    notes: list[str]

    def __len__(self) -> int: ...

    def parts(self, size: int) -> Iterator[Rows]:
        """The sets in order, at most `size` at once, all of one K."""


@dataclass
class PublishedSource:
    """A `SetSource` of `RowFile`.

    Sets that cannot be drawn are left out and counted. Sets of the grid path are no Gaussians: they are fitted again,
    for a few steps, to the pictures that the published renderer draws of them.

    Raises:
        InputError: rows that are in no published file; a canvas or a kernel too small for its renderer; or the file is
            told what does not apply to it.
    """

    file: RowFile
    reading: Reading

    def __post_init__(self) -> None:
        said, asked, path = self.file.said, self.reading, self.file.path
        if said.angles:
            asked.refuse(path, said.kind, "canvas", "labels")
        channels = channels_of(self.file.columns, str(path))
        height, width = asked.canvas or said.canvas or (SIDES[channels], SIDES[channels])
        self.kind = said.kind
        try:
            self.canvas = Canvas(height, width, channels)
        except InputError as error:
            raise InputError(f"{path}: {error}; give --sets-canvas") from error
        self.kernel_size = said.kernel_size if asked.kernel_size is None else asked.kernel_size
        self.clamp = asked.clamp or said.clamp
        self.values = asked.values or said.values
        if not said.angles and (self.kernel_size < 2 or min(height, width) < 2):
            size = f"{self.kernel_size} on {height}x{width}"
            raise InputError(f"{path}: is drawn by kernels of at least 2 pixels on at least 2x2, not of {size}; "
                             "give --kernel-size or --sets-canvas")  # fmt: skip
        self._taken: list[str] = []  # how
        self._lost: Counter[str] = Counter()  # by what is wrong with them
        self._first: dict[str, int] = {}

    @property
    def notes(self) -> list[str]:
        """What was guessed, and what was left out so far."""
        lost = [f"{count} sets left out, with {fault} (the first: {self._first[fault]})"
                for fault, count in self._lost.items()]  # fmt: skip
        return [*self._taken, *self.file.notes, *lost]

    def __len__(self) -> int:
        return len(self.file)

    def parts(self, size: int = PART) -> Iterator[SplatFile]:
        self._taken, self._lost, self._first = [], Counter(), {}
        seen = given = 0
        for rows in self.file.parts(max(1, min(size, ROWS // self.file.rows))):
            if not self._taken:
                self._decide(rows)
                self._taken = [self._words()]
            rows = Rows(drawn_rows(rows.sets, self.values or "final"), rows.labels, rows.psnr)
            sound = torch.ones(len(rows.sets), dtype=torch.bool)
            for fault, wrong in unsound(rows.sets, angles=self.file.said.angles).items():
                if bool(wrong.any()):
                    self._lost[fault] += int(wrong.sum())
                    self._first.setdefault(fault, seen + int(wrong.nonzero()[0, 0]))
                    sound &= ~wrong
            seen += len(sound)
            if bool(sound.any()):
                given += int(sound.sum())
                yield self._become(rows[sound])
        if given == 0:
            raise InputError(f"{self.file.path}: holds no sound set ({'; '.join(self.notes)})")

    def _decide(self, rows: Rows) -> None:
        """Let the numbers tell whether they are from before sigmoid and tanh, where nobody else does."""
        if self.values is None:
            self.values = "raw" if seem_raw(rows.sets) else "final"
            if self.values == "raw" and self.reading.kernel_size is None:
                self.kernel_size = RAW_KERNEL

    def _words(self) -> str:
        """How the file is taken, and the flags that say otherwise."""
        values = "numbers as drawn" if self.values == "final" else "numbers from before sigmoid and tanh"
        if self.file.said.angles:
            size = f"{self.canvas.height}x{self.canvas.width}"
            return f"{self.kind} on {size} pixels (--sets-canvas says otherwise)"
        return (
            f"{self.kind} on {self.canvas.height}x{self.canvas.width} pixels, kernel size {self.kernel_size}, "
            f"{self.clamp} clamp, {values} (--sets-canvas, --kernel-size, --clamp, --values say otherwise)"
        )

    def _become(self, rows: Rows) -> SplatFile:
        output = OUTPUTS[self.clamp]
        if self.file.said.angles:
            sets = rows.sets
            splats = rotated_splats(sets[..., -2:], sets[..., :2], sets[..., 2], sets[..., 4:-2], self.canvas)
        elif is_direct(self.canvas, self.kernel_size):
            splats = to_splats(rows.sets, self.canvas, kernel_size=self.kernel_size, output=output)
        else:
            splats = refit(rows.sets, self.canvas, kernel_size=self.kernel_size, output=output)
        header = Header.of(
            splats,
            signed=bool((splats.colors < 0).any()),
            encoder={"published": self.kind, "kernel_size": self.kernel_size, "clamp": self.clamp},
            source={"name": os.fsencode(self.file.path.resolve().name).decode(errors="replace")},
        )
        return SplatFile(splats, header, rows.labels, rows.psnr)
