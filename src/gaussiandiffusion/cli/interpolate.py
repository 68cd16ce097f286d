"""`gaussiandiffusion interpolate`: frames from one sample, set or picture to the next."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gaussiandiffusion.cli.checks import LARGEST_SIDE, check_folder, check_gallery_apart, check_numbers
from gaussiandiffusion.cli.large_gifs import note_large
from gaussiandiffusion.cli.model_edits import ModelFlags, read_for, sets_or_pictures
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.edit.by_model import Interpolate
    from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput
    from gaussiandiffusion.splats import SplatFile

MOST = 10_000  # frames


@dataclass(frozen=True)
class Place:
    """An end as it was written: a seed, or a set of a file."""

    seed: int | None = None
    path: Path | None = None
    index: int | None = None

    @classmethod
    def of(cls, word: str) -> Place:
        """From `7` (a seed, unless a file is called so), `FILE` or `FILE:INDEX`; raises InputError for others."""
        path = Path(word)
        if word and path.exists():
            return cls(path=path)
        if word.isdecimal():
            return cls(seed=int(word))
        name, colon, index = word.rpartition(":")
        if colon and index.isdecimal() and Path(name).exists():
            return cls(path=Path(name), index=int(index))
        raise InputError(
            f"{word or repr(word)}: is neither a file of sets or pictures, nor one of its sets (FILE:3), nor a seed (7)"
        )


@dataclass(frozen=True)
class WayFlags(ModelFlags):
    """By which model, if by any; of each file one set is taken, so there is no limit."""

    model: str = ""
    """Bundled model, folder of a trained pipeline, or owner/name on the Hub; default: none, or mnist for seeds."""
    limit: Annotated[None, tyro.conf.Fixed, tyro.conf.Suppress] = None


@dataclass(frozen=True)
class Command:
    """Frames on the way from the first end to the last, both among them; as a folder as `sample` writes it.

    By a model (--model, which pictures need, or where an end is a seed) every frame is a sample of it; else each splat
    of the first set moves to that of the second with the same number.

    Example: gaussiandiffusion interpolate 3.png 8.png --model mnist --frames 12 --gif --out out/
    Example: gaussiandiffusion interpolate 1 2 3 --label 5 --frames 30 --loop --gif --out fives/
    """

    ends: tyro.conf.Positional[tuple[str, ...]]
    """Two or more: seeds of a model's samples, pictures, or files of sets (FILE:3 is the set with index 3)."""
    out: Path
    """Folder to write to."""
    frames: int = 9
    """Frames in all."""
    through: Literal["noise", "sets"] | None = None
    """By a model: through its noise (default), or from splat to splat of its slots."""
    loop: bool = False
    """Also go back to the first end."""
    gif: bool = False
    """Also write interpolation.gif."""
    asking: Annotated[WayFlags, tyro.conf.arg(name="")] = field(default_factory=lambda: WayFlags())

    def run(self) -> None:
        if len(self.ends) < 2:
            raise InputError(f"interpolation needs two ends or more, not {len(self.ends)}")
        check_numbers(2, MOST, frames=self.frames)
        places = [Place.of(word) for word in self.ends]
        model = self._model(places)
        flags = replace(self.asking, model=model or "mnist")
        read = [place.path for place in places if place.path is not None]
        if model is not None:
            flags.check(self.out, *read)
        else:
            check_folder(self.out)
            check_gallery_apart(self.out, *read)
            check_numbers(most=LARGEST_SIDE, size=flags.size)
            if flags.encode or self.through == "noise":
                raise InputError("--encode and --through noise are for ways by a model; give --model NAME too")
        asked = [name for name in ("label", "steps", "guidance") if getattr(flags, name) not in (None, ())]
        straight = model is None or (self.through == "sets" and len(read) == len(places))
        if asked and straight:
            raise InputError(f"--{asked[0]} is for samples, and each splat of these sets moves to that of the next; "
                             "go by --model NAME --through noise, or leave it out")  # fmt: skip
        pipe = flags.load() if model is not None else None
        files = [None if place.path is None else self._read(pipe, place, flags) for place in places]
        edit = self._edit(pipe, places, flags)
        ends = [place.seed or 0 if file is None else file.splats for place, file in zip(places, files, strict=True)]
        if pipe is None:
            self._note_slots([file for file in files if file is not None])
        started = time.perf_counter()
        made = edit.make(pipe, ends)
        signed = any(file is not None and file.header.signed for file in files)
        self._write(made, pipe, edit, flags, places, signed, time.perf_counter() - started)

    def _edit(self, pipe: GaussianDiffusion | None, places: list[Place], flags: ModelFlags) -> Interpolate:
        """The edit as a history has it."""
        from gaussiandiffusion.edit.by_model import Interpolate, SavedEnd
        from gaussiandiffusion.edit.noise import STEPS
        from gaussiandiffusion.edit.readings import told_of

        ends = [SavedEnd(place.seed, None if place.path is None else str(place.path), place.index or 0)
                for place in places]  # fmt: skip
        told: dict[str, Any] = {}
        if pipe is not None:
            led_back = self.through != "sets" and any(place.path is not None for place in places)
            told = flags.told(pipe, *(STEPS, 1.0) if led_back else ())
            told["asked"] = {name: words[0] for name, words in flags.asked(pipe, None, 1).items()}
        return Interpolate(**told, ends=ends, frames=self.frames, through=self.through, loop=self.loop,
                           reading=told_of(flags.reading.reading()))  # fmt: skip

    def _model(self, places: list[Place]) -> str | None:
        """The model's name; None where none is needed."""
        from gaussiandiffusion.data.sets import holds_sets
        from gaussiandiffusion.gallery import is_gallery

        if self.asking.model:
            return self.asking.model
        paths = [place.path for place in places if place.path is not None]
        if len(paths) < len(places):
            return "mnist"
        for path in paths:
            if not (holds_sets(path) or is_gallery(path)):
                raise InputError(f"{path}: pictures go by a model's template; name the model by --model NAME")
        return None

    def _read(self, pipe: GaussianDiffusion | None, place: Place, flags: ModelFlags) -> SplatFile:
        """The one set that a place means."""
        from gaussiandiffusion.splats.formats import load_sets

        assert place.path is not None
        if pipe is not None:
            file = read_for(pipe, place.path, self.out, flags)
        else:
            file = load_sets(sets_or_pictures(place.path), flags.reading.reading())
        index, count = place.index or 0, len(file.splats)
        if index >= count:
            raise InputError(f"{place.path}: has no set {index}, its sets are 0 to {count - 1}")
        if place.index is None and count > 1:
            print(f"{place.path}: holds {count} sets, the first is taken; {place.path}:1 is the next", file=sys.stderr)
        return file[index : index + 1]

    def _note_slots(self, files: list[SplatFile]) -> None:
        known = {file.header.encoder.get("template_sha256") for file in files}
        if len(known) > 1 or None in known:
            print("the sets are not known to be of one template: each splat moves to that of the same number",
                  file=sys.stderr)  # fmt: skip

    def _write(
        self,
        made: GaussianDiffusionOutput,
        pipe: GaussianDiffusion | None,
        edit: Interpolate,
        flags: ModelFlags,
        places: list[Place],
        signed: bool,
        seconds: float,
    ) -> None:
        from gaussiandiffusion.edit.sets_in import template_sha256
        from gaussiandiffusion.gallery import GalleryWriter, SampleRecord
        from gaussiandiffusion.ground.images import to_uint8
        from gaussiandiffusion.rendering import render
        from gaussiandiffusion.rendering.media import save_animation, to_image
        from gaussiandiffusion.splats import storage

        assert made.splats is not None  # of a model of splats
        num = len(made.images)
        writer = GalleryWriter(self.out, num)
        images = made.images if flags.size is None else render(made.splats, flags.size)
        writer.add(replace(made, images=images), 0)
        writer.write_grid()
        encoder = {}
        if pipe is not None:
            encoder = {"model": flags.model, "template_sha256": template_sha256(pipe.representation)}
        file = self.out / "splats.safetensors"
        files = {str(place.path): sets_or_pictures(place.path) for place in places if place.path is not None}
        storage.save(made.splats.to("cpu"), file, conditions=made.conditions, signed=signed, encoder=encoder,
                     edits=[edit.recorded(file, files)])  # fmt: skip
        writer.written.append("splats.safetensors")
        if self.gif:
            save_animation(
                [to_image(picture) for picture in to_uint8(images)], self.out / "interpolation.gif", hold=120
            )
            note_large(self.out / "interpolation.gif")
            writer.written.append("interpolation.gif")
        words = None if made.conditions is None else made.conditions.words()
        writer.write_record(
            SampleRecord(
                model=flags.model if pipe else None,
                num=num,
                seed=flags.seed,
                conditions=words,
                seconds_per_image=seconds / num,
            )
        )
        print(f"{num} frames in {seconds:.1f} s: {self.out}/{', '.join(writer.written)}")
