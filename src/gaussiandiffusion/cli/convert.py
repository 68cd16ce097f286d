"""`gaussiandiffusion convert`: sets of other systems to ours, and ours to theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import tyro

from gaussiandiffusion.cli.checks import check_numbers
from gaussiandiffusion.cli.reading import ReadingFlags, SetFlags
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
    """Sets: a file of ours, published .pt or HDF5 (.h5, .hdf5), JSON, an SVG of ours, or a folder of .pt."""
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
    reading: ReadingFlags = field(default_factory=SetFlags)

    def run(self) -> None:
        check_numbers(limit=self.limit)
        if self.first < 0:
            raise InputError(f"first must be at least 0, not {self.first}")
        kind = self._kind()
        if not self.source.exists():
            raise InputError(f"{self.source}: no such file or folder")
        if self.out.exists() and self.source.resolve() == self.out.resolve():
            raise InputError(f"{self.out}: is what is read; name another file")

        from gaussiandiffusion.splats.formats import open_sets

        source = open_sets(self.source, self.reading.reading())
        available = max(0, len(source) - self.first)
        count = available if self.limit is None else min(available, self.limit)
        if count == 0:
            raise InputError(f"{self.source}: has {len(source)} sets, none from number {self.first} on")
        written = self._write(kind, self._chosen(source.parts(PART), count), count)
        for note in source.notes:
            print(f"{self.source}: {note}", file=sys.stderr)
        print(f"{written} sets: {self.out}")

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

    def _chosen(self, parts: Iterator[SplatFile], count: int) -> Iterator[SplatFile]:
        """The sets from `first` on, `count` at most."""
        skip, left = self.first, count
        for part in parts:
            size = len(part.splats)
            chosen = part[min(skip, size) : min(skip + left, size)]
            skip -= min(skip, size)
            left -= len(chosen.splats)
            if len(chosen.splats):
                yield chosen
            if left == 0:
                return

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
            write_json_sets(
                file.splats, self.out, file.labels, conditions=file.conditions, psnr=file.psnr, header=file.header
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

        written, header = 0, None
        self.out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.out.absolute().parent, prefix=f".{self.out.name}.") as folder:
            shards = []
            for number, part in enumerate(parts):
                shards.append(Path(folder) / f"{number:06d}.safetensors")
                header = header or part.header
                storage.save(
                    part.splats, shards[-1], labels=part.labels, conditions=part.conditions, psnr=part.psnr,
                    signed=header.signed, encoder=header.encoder, source=header.source, edits=header.edits,
                )  # fmt: skip
                written += len(part.splats)
            if header is None:
                raise InputError(f"{self.source}: holds no sound set")
            merge(shards, self.out, header.source)
        return written

    def _write_each(self, kind: Kind, parts: Iterator[SplatFile]) -> int:
        """One file a set."""
        from gaussiandiffusion.published.writing import write_torch
        from gaussiandiffusion.rendering import to_svg
        from gaussiandiffusion.splats.ply import write_ply

        written = 0
        for part in parts:
            if kind == "pt":
                written += write_torch(part, self.out, first=self.first + written)
                continue
            for each in map(part.splats.__getitem__, range(len(part.splats))):
                name = self.out if self.to is None else self.out / f"{self.first + written:05d}.{kind}"
                if kind == "svg":
                    to_svg(each, name, header=part.header)
                else:
                    write_ply(each, name)
                written += 1
        return written
