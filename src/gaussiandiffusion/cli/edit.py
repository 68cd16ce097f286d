"""`gaussiandiffusion edit`: splat sets changed by hand."""

from __future__ import annotations

import inspect
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gaussiandiffusion.cli.checks import LARGEST_SIDE, check_apart, check_file, check_numbers, is_read
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.reading import ReadingFlags, SetFlags
from gaussiandiffusion.edit import grammar
from gaussiandiffusion.edit.registry import OPERATIONS, split_operation
from gaussiandiffusion.gallery import is_gallery
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.splats import Splats

SUFFIXES = (".safetensors", ".json", ".ply", ".svg")
LARGEST_PICTURE = 4096  # pixels of the longer side, where --size asks for none
MOST_SHOWN = 100  # sets in the picture
MOST_VALUES = 2**28  # of all pixels in it


@dataclass(frozen=True)
class Command:
    """Change the splats of every set of a file; write them, their history in the header, and a PNG beside.

    Example: gaussiandiffusion edit sets.safetensors --op rotate:degrees=15 --op recolor:brightness=0.8 --where
    "inside(0,0,0.5,0.5) & brightness(0.2)" --out edited.safetensors
    """

    out: Path
    """File to write, by its suffix: .safetensors or .json, or of one set .svg or .ply; .ply keeps no history."""
    file: tyro.conf.Positional[Path | None] = None
    """Splat file, folder of shards or that `sample` wrote, or another system's file or folder of sets."""
    op: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """What to do, NAME:KEY=VALUE,... in canvas units (a square canvas spans -1 to 1; 3px are pixels) and degrees;
    several are done in order."""
    where: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """Which splats. Once: for all operations, chosen before the first and followed through them; else once for each
    --op in their order, chosen when its turn comes ("all"; "selected": those of the one before). What changes the
    whole picture (layer, crop, canvas, turn, tile) takes none."""
    overwrite: bool = False
    """Allow FILE itself as --out; it can then not be made again from its history."""
    replay: Path | None = None
    """Instead of FILE and --op: make this edited file again from what its history begins with."""
    source: Path | None = None
    """For --replay: where that file lies now."""
    limit: int | None = None
    """Only the first N sets."""
    model: str | None = None
    """For --replay: the model of its history, or the folder where that lies now."""
    size: int | None = None
    """Longer side of the pictures in pixels, of an SVG too; default: the canvas."""
    seed: int = 0
    """Nothing is drawn at random; accepted for uniformity."""
    device: Device = "auto"
    """Where to draw the pictures; edits are made on the CPU."""
    reading: ReadingFlags = field(default_factory=SetFlags)

    def run(self) -> None:
        out = self._checked()
        device = resolve(self.device)  # imports torch
        from gaussiandiffusion.edit.edited_files import edit_file, save_edited

        notes: list[str] = []
        if self.replay is not None:
            from gaussiandiffusion.edit.replaying import retold

            history = retold(self._sets(), self.source, self.model)
            read = history.files
            check_apart(out, *read)
            made = history.again()
        else:
            from gaussiandiffusion.edit.applying import steps_of

            path = self._sets()
            steps = steps_of(self.op, self.where[0] if len(self.where) == 1 else self.where or None)
            labels = [] if self.reading.labels is None else [self.reading.labels]
            read = [Path(name) for name in (*labels, *(name for step in steps for name in step.files()))]
            check_apart(out, *read)
            made, notes = edit_file(path, out, steps, self.reading.reading(), self.limit)
        for note in notes:
            print(f"{self.file}: {note}", file=sys.stderr)
        side = _side(made.splats, self.size)
        save_edited(made, out, self.size)
        picture = self._picture(out, read, str(made.header.source.get("name", "")))
        _draw(made.splats.to(device), picture, side)
        splats = made.splats
        print(f"{len(splats)} sets of {splats.num_splats} splats, {splats.canvas.width}x{splats.canvas.height} pixels: "
              f"{out}, {picture.name}")  # fmt: skip

    def _checked(self) -> Path:
        """The file to write; raises InputError for what can be refused before PyTorch is loaded."""
        check_numbers(most=LARGEST_SIDE, size=self.size)
        check_numbers(limit=self.limit)
        if self.out.suffix.lower() not in SUFFIXES:
            raise InputError(f"{self.out}: what to write is told by the suffix; give one of {', '.join(SUFFIXES)}")
        check_file(self.out)
        read = self.file if self.replay is None else self.replay
        if self.replay is None and self.source is not None:
            raise InputError("--source is where --replay finds what it begins with; give --replay EDITED")
        if self.replay is None and self.model is not None:
            raise InputError("--model is for --replay; by a model edit `vary`, `inpaint`, `transfer`, `interpolate`")
        told = self.op or self.where or self.file is not None or self.limit is not None or self.reading
        if self.replay is not None and told:
            raise InputError("--replay takes all from the history; leave out FILE, --op, --where, --limit and flags of "
                             "reading")  # fmt: skip
        if read is None:
            raise InputError("edit needs a file of sets, or --replay EDITED; `gaussiandiffusion encode` writes some")
        if not read.exists():
            raise InputError(f"{read}: no such splat file; `gaussiandiffusion encode` writes some")
        if self.out.exists() and self.out.resolve() == self._sets().resolve() and not self.overwrite:
            raise InputError(f"{self.out}: is what is read; name another file, or allow it by --overwrite")
        for text in self.op:
            split_operation(text)
        for text in self.where:
            grammar.parse(text)
        if self.replay is None and not self.op:
            raise InputError("there is nothing to do; give an operation, such as --op rotate:degrees=15")
        return self.out

    def _sets(self) -> Path:
        """The file that is read: of a gallery, that of its sets."""
        read = self.replay or self.file or Path()
        return read / "splats.safetensors" if is_gallery(read) else read

    def _picture(self, out: Path, read: list[Path], encoded: str) -> Path:
        """Beside the file; under another name where something that was read has that, or may have it.

        Args:
            read: files of operations, selections and a history.
            encoded: name of the picture that the sets were encoded from.
        """
        own = self._sets()
        path = out.with_suffix(".png")
        taken = path.name == encoded or (path.parent.absolute() == own.absolute().parent and path.stem == own.stem)
        while taken or is_read(path, *read):
            path, taken = path.with_suffix(".edited.png"), False
        return path


def _side(splats: Splats, size: int | None) -> int:
    """Longer side of the pictures; raises InputError where those that are asked for would fill memory."""
    shown, canvas = min(len(splats), MOST_SHOWN), splats.canvas.resized(size)
    values = shown * canvas.height * canvas.width * canvas.channels
    if size is not None and values > MOST_VALUES:
        raise InputError(f"{shown} pictures of {canvas.width}x{canvas.height} pixels are too much to draw beside the "
                         "sets; give a smaller --size, and take `render` for large ones")  # fmt: skip
    return size or max(1, min(canvas.longer_side, LARGEST_PICTURE,
                              math.floor(canvas.longer_side * math.sqrt(MOST_VALUES / values))))  # fmt: skip


def _draw(splats: Splats, path: Path, side: int) -> None:
    from gaussiandiffusion.ground.images import to_uint8
    from gaussiandiffusion.rendering import render
    from gaussiandiffusion.rendering.media import grid_image, save_png, to_image

    pixels = to_uint8(render(splats[:MOST_SHOWN], side))
    save_png(to_image(pixels[0]) if len(pixels) == 1 else grid_image(pixels), path)


def _words() -> str:
    """Operations and selections, for --help."""
    operations = "\n".join(f"  {entry.usage}: {entry.says}" for entry in OPERATIONS.values())
    return (
        f"Operations:\n{operations}\n\nSelections, joined by & (and), | (or), ! (not) and parentheses:\n"
        f"  {', '.join(['all', *grammar.USAGE.values()])}; places and sizes in canvas units"
    )


Command.__doc__ = f"{inspect.cleandoc(Command.__doc__ or '')}\n\n{_words()}\n"
