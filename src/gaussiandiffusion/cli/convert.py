"""`gaussiandiffusion convert`: sets of other systems to ours, and ours to theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import tyro

from gaussiandiffusion.cli.checks import check_numbers
from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.cli.reading import ReadingFlags
from gaussiandiffusion.data.reading import SetFlags
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.splats import SplatFile

Kind = Literal["safetensors", "pt", "hdf5", "json", "svg", "ply"]
SUFFIXES: dict[str, Kind] = {
    ".safetensors": "safetensors", ".pt": "pt", ".h5": "hdf5", ".hdf5": "hdf5", ".json": "json", ".svg": "svg",
    ".ply": "ply",
}  # fmt: skip
PART = 1024  # sets at once


@dataclass(frozen=True)
class Command:
    """Read sets of any known kind and write them as another.

    Example: gaussiandiffusion convert mnist_gaussian_representations/ sets.safetensors
    """

    source: tyro.conf.Positional[Path]
    """Sets: a file of ours, a folder that `sample` wrote, published .pt or HDF5 (.h5, .hdf5), JSON, an SVG of ours, or
    a folder of .pt."""
    out: tyro.conf.Positional[Path]
    """File to write, of the kind its suffix says; or with --to a folder, a file for each set."""
    to: Kind | None = None
    """What to write into a folder: pt, svg or ply."""
    limit: int | None = None
    """Only the first N sets."""
    first: int = 0
    """Begin with set number N (from 0)."""
    seed: int = 0
    """Nothing is drawn at random; accepted for uniformity."""
    device: Device = "auto"
    """Nothing is drawn or fitted; accepted for uniformity."""
    reading: ReadingFlags = field(default_factory=SetFlags)

    def run(self) -> None:
        check_numbers(limit=self.limit)
        check_numbers(0, first=self.first)
        kind = self._kind()
        if not self.source.exists():
            raise InputError(f"{self.source}: no such file or folder")
        self._check_out()

        from gaussiandiffusion.splats.formats import open_sets

        source = open_sets(self.source, self.reading.reading())
        available = max(0, len(source) - self.first)
        count = available if self.limit is None else min(available, self.limit)
        if count == 0:
            raise InputError(f"{self.source}: has {len(source)} sets, none from number {self.first} on")
        left_out: set[str] = set()
        written = self._write(kind, self._chosen(source.parts(PART), count, kind, left_out), count)
        for note in source.notes:
            print(f"{self.source}: {note}", file=sys.stderr)
        if left_out:
            print(
                f"{self.out}: {' and '.join(sorted(left_out))} left out, which its kind does not hold", file=sys.stderr
            )
        print(f"{written} sets: {self.out}")

    def _check_out(self) -> None:
        """Refuse to write over what is read, or a file where a folder is and the other way round."""
        read = [self.source, *([] if self.reading.labels is None else [Path(self.reading.labels)])]
        within = self.source.is_dir() and self.out.parent.resolve() == self.source.resolve()
        if any(self.out.resolve() == each.resolve() for each in read) or (
            within and (self.out.is_file() or self.out.suffix.lower() == ".pt")
        ):
            raise InputError(f"{self.out}: is what is read, or would lie in it; name another place")
        if self.to is None and self.out.is_dir():
            raise InputError(f"{self.out}: is a folder; name a file, or say --to pt, svg or ply")
        place = self.out.absolute() if self.to is not None else self.out.absolute().parent
        for path in (place, *place.parents):
            if path.exists():
                if not path.is_dir():
                    raise InputError(f"{path}: is a file, where a folder is to be written; name another place")
                return

    def _kind(self) -> Kind:
        if self.to is not None:
            if self.to not in ("pt", "svg", "ply"):
                raise InputError(f"--to is for a file a set (pt, svg, ply); for {self.to}, name a file of that suffix")
            return self.to
        suffix = self.out.suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(
                f"{self.out}: what to write is told by the suffix ({', '.join(SUFFIXES)}); "
                "for a folder, say --to pt, svg or ply"
            )
        return SUFFIXES[suffix]

    def _chosen(self, parts: Iterator[SplatFile], count: int, kind: Kind, left_out: set[str]) -> Iterator[SplatFile]:
        """The sets from `first` on, `count` at most; adds to `left_out` what files of a kind do not hold.

        Raises:
            InputError: there are none.
        """
        skip, left, seen = self.first, count, 0
        for part in parts:
            size = len(part.splats)
            chosen = part[min(skip, size) : min(skip + left, size)]
            seen += size
            skip -= min(skip, size)
            left -= len(chosen.splats)
            if len(chosen.splats):
                left_out.update(_not_held(chosen, kind))
                yield chosen
            if left == 0:
                return
        if left == count:
            raise InputError(f"{self.source}: has {seen} sound sets, none from number {self.first} on")

    def _write(self, kind: Kind, parts: Iterator[SplatFile], count: int) -> int:
        """Write; returns the number of sets."""
        if kind == "safetensors":
            return self._write_own(parts)
        if kind == "hdf5":
            from gaussiandiffusion.published.writing import write_hdf5

            return write_hdf5(parts, count, self.out)
        if kind == "json":
            from gaussiandiffusion.splats.formats import together
            from gaussiandiffusion.splats.json_files import write_json_sets

            file = together(self.source, list(parts))
            conditions = None if file.header.conditions is None else file.conditions  # labels alone stay numbers
            write_json_sets(
                file.splats, self.out, file.labels, conditions=conditions, psnr=file.psnr, header=file.header
            )
            return len(file.splats)
        if self.to is None and count > 1:
            raise InputError(f"{self.out}: a .{kind} file holds one set, and there are {count}; "
                             f"take one by --first N --limit 1, or all into a folder by --to {kind}")  # fmt: skip
        return self._write_each(kind, parts)

    def _write_own(self, parts: Iterator[SplatFile]) -> int:
        """As one splat file, that never is in memory whole."""
        from gaussiandiffusion.splats import storage
        from gaussiandiffusion.splats.merge import merge

        first = next(parts)
        header = first.header
        self.out.absolute().parent.mkdir(parents=True, exist_ok=True)
        written, shards = 0, []
        with TemporaryDirectory(dir=self.out.absolute().parent, prefix=".convert-") as folder:
            for number, part in enumerate(chain([first], parts)):
                shards.append(Path(folder) / f"{number:06d}.safetensors")
                storage.save(
                    part.splats, shards[-1], labels=part.labels, psnr=part.psnr,
                    conditions=None if header.conditions is None else part.conditions,
                    signed=part.header.signed, encoder=header.encoder, source=header.source, edits=header.edits,
                )  # fmt: skip
                written += len(part.splats)
            merge(shards, self.out, header.source)
        return written

    def _write_each(self, kind: Kind, parts: Iterator[SplatFile]) -> int:
        """One file a set; into a folder all or none."""
        if self.to is None:
            _write_files(next(parts), [self.out], kind, self.source)
            return 1
        first, written = next(parts), 0
        self.out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.out.absolute().parent, prefix=".convert-") as folder:
            for part in chain([first], parts):
                numbers = range(self.first + written, self.first + written + len(part.splats))
                _write_files(part, [Path(folder) / f"{number:05d}.{kind}" for number in numbers], kind, self.source)
                written += len(part.splats)
            names = {path.name for path in Path(folder).iterdir()}
            others = [path for path in self.out.glob(f"*.{kind}") if path.name not in names]
            if others:
                raise InputError(f"{self.out}: holds other .{kind} files ({others[0].name}), which would lie among the "
                                 "new ones; name another folder")  # fmt: skip
            self.out.mkdir(exist_ok=True)
            for name in sorted(names):
                (Path(folder) / name).replace(self.out / name)
        return written


def _write_files(part: SplatFile, paths: list[Path], kind: Kind, source: Path) -> None:
    """A file for each set.

    Raises:
        InputError: files of a kind cannot hold them.
    """
    from gaussiandiffusion.published.writing import write_torch
    from gaussiandiffusion.rendering import to_svg
    from gaussiandiffusion.splats.ply import write_ply

    if kind == "pt":
        write_torch(part, paths, str(source))
        return
    for place, path in enumerate(paths):
        try:
            if kind == "svg":
                to_svg(part.splats[place], path, header=part.header)
            else:
                write_ply(part.splats[place], path)
        except InputError as error:
            raise InputError(f"{source}: {str(error).removeprefix(f'{path}: ')}") from error


def _not_held(part: SplatFile, kind: Kind) -> list[str]:
    """What is known of sets that published files have no place for."""
    if kind not in ("pt", "hdf5"):
        return []
    named = part.header.conditions or []
    found = [f"attributes ({', '.join(name for name, _ in named)})"] if part.labels is None and named else []
    if part.labels is not None and any(name != str(index) for _, names in named for index, name in enumerate(names)):
        found.append("names of classes")
    if part.psnr is not None and kind == "pt":
        found.append("psnr")
    return found
