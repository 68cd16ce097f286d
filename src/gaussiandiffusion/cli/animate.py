"""`gaussiandiffusion animate`: the processes, as they go."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gaussiandiffusion.cli.checks import (
    LARGEST_SIDE,
    check_apart,
    check_file,
    check_images,
    check_installed,
    check_model,
    check_numbers,
    check_template,
)
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.framing import FramingFlags
from gaussiandiffusion.cli.large_gifs import note_large
from gaussiandiffusion.cli.pictures import SourceReader
from gaussiandiffusion.cli.reading import ReadingFlags, SetFlags
from gaussiandiffusion.cli.times import even_times, strip_times
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.gallery.film import Film
    from gaussiandiffusion.gallery.films import Look
    from gaussiandiffusion.pipeline import GaussianDiffusion
    from gaussiandiffusion.splats import Canvas

ANIMATED, STRIP = (".gif", ".mp4", ".apng"), ".png"
MODEL, PIXEL = "mnist", "pixel"
NUM, ROWS = 16, 4  # pictures by default, of an animation and of a strip
FRAMES, FPS = 25, 10  # of an animation by default
MOST_FRAMES = 10_000
FASTEST = 60  # frames a second


@dataclass(frozen=True)
class Command:
    """Show noise being added to sets, samples taking shape, the noise that all ends in, sets becoming other sets, or a
    picture being encoded: as GIF, MP4 or APNG, or as a PNG of chosen times side by side.

    Example: gaussiandiffusion animate --process reverse --num 16 --out materialisation.gif
    Example: gaussiandiffusion animate --process forward --compare pixel --num 1 --out forward.png
    """

    out: Path
    """FILE.gif, .mp4 (needs the extra [video]), .apng, or .png for a strip of chosen times."""
    process: Literal["forward", "reverse", "terminal", "interpolate", "encode"]
    """forward: noise is added, along the model's own path; reverse: samples take shape; terminal: forward, with
    histograms beside the normal law; interpolate: sets become others; encode: SOURCE is fitted, longer and longer."""
    source: tyro.conf.Positional[tuple[str, ...]] = ()
    """What the process begins with, any source of pictures or file of sets, brought into the model's sets; default:
    samples. interpolate takes two, from the first to the second, or one, from its first half to the other."""
    model: str | None = None
    """Bundled model (default mnist), folder of a trained pipeline, or owner/name on the Hub; encode takes none."""
    compare: str | None = None
    """pixel: the same of pixels beside it (encode: the picture). For reverse, a model of pixels to compare with."""
    num: int | None = None
    """Number of pictures shown, default 16, in a strip 4."""
    limit: int | None = None
    """Only the first N pictures or sets of a SOURCE."""
    size: int | None = None
    """Longer side of the pictures in pixels; default: 96, or a larger canvas."""
    ellipses: bool = False
    """Outline every splat at one sigma, in a colour of its slot."""
    show: Literal["noisy", "clean", "both"] = "noisy"
    """For reverse: the noisy samples, the network's estimate of the clean ones, or both."""
    frames: int | None = None
    """Frames of an animation, default 25."""
    fps: int | None = None
    """Frames a second, default 10; the last is held longer."""
    strip: str | None = None
    """Times of a PNG, from 0 to 1, such as 0,0.25,0.5,1: of noise from 0 (data) to 1, of the way, or of the fit."""
    label: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """What samples are asked to be, as `sample` takes it."""
    steps: int | None = None
    """Steps of the sampler; default: the model's. Between steps samples go straight."""
    guidance: float | None = None
    """Classifier-free guidance, 1 = off; default: the model's."""
    splats: int | None = None
    """For encode: K; default 70 for grey pictures, 150 for colour."""
    start: str = "hilbert"
    """For encode: hilbert, grid, random or template:FILE."""
    iterations: int | None = None
    """For encode: optimiser steps; default by start."""
    split: Literal["train", "test"] = "train"
    """Split of a data set."""
    framing: FramingFlags = field(default_factory=Framing)
    reading: ReadingFlags = field(default_factory=SetFlags)
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    seed: int = 0
    """Sample i, and the noise added to picture i, depend on (seed, i) alone."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        times = self._check()
        device = resolve(self.device)  # imports torch
        from gaussiandiffusion.gallery.films import write_film

        film = self._encoding(len(times)) if self.process == "encode" else self._of_model(device, len(times))
        write_film(film, self.out, times, self.fps or FPS)
        note_large(self.out)
        kind = "times side by side" if self._is_strip else "frames"
        print(f"{self.process}, {len(times)} {kind}, {self.out.stat().st_size / 1000:,.0f} kB: {self.out}")

    @property
    def _is_strip(self) -> bool:
        return self.out.suffix.lower() == STRIP

    @property
    def _pictures(self) -> SourceReader:
        return SourceReader(self.split, self.data_dir, self.framing, self.reading)

    @property
    def _count(self) -> int:
        count = self.num or (ROWS if self._is_strip else NUM)
        return min(count, self.limit or count)

    def _check(self) -> list[float]:
        """The times to show; refuses what can be told to be wrong without PyTorch."""
        if self.out.suffix.lower() not in (*ANIMATED, STRIP):
            raise InputError(
                f"{self.out}: the suffix says what to write; choose .gif, .mp4 or .apng for an animation, .png for a "
                "strip of chosen times"
            )
        check_file(self.out)
        if self.out.suffix.lower() == ".mp4":
            check_installed("video", "MP4", "av")
        check_numbers(num=self.num, limit=self.limit, steps=self.steps, splats=self.splats)
        check_numbers(most=MOST_FRAMES, frames=self.frames)
        check_numbers(most=LARGEST_SIDE, size=self.size)
        check_numbers(most=FASTEST, fps=self.fps)
        check_numbers(0, seed=self.seed, iterations=self.iterations)
        self._check_sources()
        self._check_compare()
        if self.show != "noisy" and self.process != "reverse":
            raise InputError(f"--show {self.show} is of what samples on their way would become; take --process reverse")
        self._check_idle()
        if self.process == "encode":
            if self.model is not None:
                raise InputError("encode needs no model; leave --model out")
            check_template(self.start)
        else:
            conditions = check_model(self.model or MODEL)
            if conditions is not None:
                conditions.parse(self.label)
        return self._times()

    def _check_sources(self) -> None:
        given, process = len(self.source), self.process
        if process == "encode" and given != 1:
            raise InputError("encode shows how pictures are fitted; give one SOURCE of them")
        if process == "reverse" and given:
            raise InputError("reverse begins at noise; leave the SOURCE out, or take --process forward")
        if given > (2 if process == "interpolate" else 1):
            raise InputError(f"{process} takes {'two SOURCEs' if process == 'interpolate' else 'one SOURCE'} at most")
        for source in self.source:
            check_images(source)
        check_apart(self.out, *map(Path, self.source))

    def _check_idle(self) -> None:
        """Refuse flags that would change nothing."""
        fit = [name for name in ("splats", "iterations") if getattr(self, name) is not None]
        fit += ["start"] if self.start != "hilbert" else []
        if fit and self.process != "encode":
            raise InputError(f"--{fit[0]} is of an encoder's fit; take --process encode, or leave it out")
        asked = [name for name in ("label", "steps", "guidance") if getattr(self, name) not in (None, ())]
        if asked and self.source:
            raise InputError(f"--{asked[0]} is for samples, and a SOURCE is given; leave one of them out")
        read = ("limit", "data_dir", "framing", "reading")
        if not self.source and (any(getattr(self, name) for name in read) or self.split != "train"):
            raise InputError("--limit, --split, --data-dir, --canvas, --mode and what is said of files are of a "
                             "SOURCE; give one, or leave them out (--num says how many samples are shown)")  # fmt: skip
        moving = [name for name in ("frames", "fps") if getattr(self, name) is not None]
        if self._is_strip and moving:
            raise InputError(f"{self.out}: is a strip, without --{moving[0]}; --strip says which times it shows")
        if self.strip is not None and not self._is_strip:
            raise InputError(f"{self.out}: --strip puts chosen times side by side in a PNG; name it FILE.png")

    def _check_compare(self) -> None:
        if self.compare is None:
            return
        if self.process == "terminal":
            raise InputError("terminal shows the noise of one model; leave --compare out")
        if self.process == "reverse" and self.compare == PIXEL:
            raise InputError("reverse needs a model of pixels to compare with; give --compare FOLDER of one")
        if self.process == "reverse":
            check_model(self.compare)
        elif self.compare != PIXEL:
            raise InputError(f"--compare of {self.process} must be {PIXEL}, not {self.compare}")

    def _times(self) -> list[float]:
        if not self._is_strip:
            return even_times(self.process, FRAMES if self.frames is None else self.frames)
        return strip_times(self.process, self.strip)

    def _look(self, canvas: Canvas, count: int, frames: int) -> Look:
        from gaussiandiffusion.gallery.film import check_room, drawn_size
        from gaussiandiffusion.gallery.films import Look

        size = drawn_size(canvas, self.size)
        panels = 1 + (self.compare is not None) + (self.show == "both")
        check_room(canvas, size, count * panels, frames)
        return Look(size, self.ellipses, pixels=self.compare == PIXEL)

    def _encoding(self, frames: int) -> Film:
        from gaussiandiffusion.encoding import make_encoder
        from gaussiandiffusion.gallery.films import converging
        from gaussiandiffusion.splats import Canvas

        images = self._pictures.first(self.source[0], self._count)
        channels, height, width = images.shape[1:]
        encoder = make_encoder(
            channels,
            num_splats=self.splats,
            start=self.start,
            iterations=self.iterations,
            pixels=height * width,
        )
        return converging(images, encoder, self._look(Canvas(height, width, channels), len(images), frames))

    def _of_model(self, device: Any, frames: int) -> Film:
        from gaussiandiffusion.gallery import films
        from gaussiandiffusion.gallery.processes import trajectory
        from gaussiandiffusion.pipeline import GaussianDiffusion

        name = self.model or MODEL
        pipeline = GaussianDiffusion.from_pretrained(name).to(device)
        look = self._look(pipeline.representation.canvas, self._count, frames)
        films.check_ellipses(look, pipeline.representation)
        if self.process == "reverse":
            beside = None
            if self.compare is not None:
                other = GaussianDiffusion.from_pretrained(self.compare).to(device)
                beside = trajectory(other, self._count, **self._request(other))
            return films.reverse(trajectory(pipeline, self._count, **self._request(pipeline)), look, self.show, beside)
        if self.process == "interpolate":
            if pipeline.representation.kind != "splats":
                raise InputError(f"{name}: generates pixels, between which there is nothing; take a model of splats")
            return films.interpolated(pipeline.representation, self._clean(pipeline, 2 * self._count), look)
        if self.process == "terminal":
            from gaussiandiffusion.gallery.terminal import MANY

            tokens = math.prod(pipeline.representation.latent_shape[:-1])
            clean = self._clean(pipeline, max(self._count, -(-MANY // tokens)))
            return films.terminal(pipeline, clean, self._count, look, self.seed)
        return films.forward(pipeline, self._clean(pipeline, self._count), look, self.seed)

    def _request(self, pipeline: GaussianDiffusion) -> dict[str, Any]:
        return {
            "conditions": pipeline.condition_spec.parse(self.label),
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "seed": self.seed,
        }

    def _clean(self, pipeline: GaussianDiffusion, count: int) -> Any:
        """Latents of the sources' pictures, at most so many, or of samples."""
        import numpy as np

        from gaussiandiffusion.gallery.processes import trajectory

        representation = pipeline.representation
        if not self.source:
            return trajectory(pipeline, count, **self._request(pipeline)).data
        part = count // len(self.source)
        part = min(part, self.limit or part)
        each = [self._pictures.first(source, part, representation.canvas) for source in self.source]
        least = min(map(len, each))
        images = np.concatenate([part[:least] for part in each])
        if self.process == "interpolate":
            if len(images) < 2:
                raise InputError(f"{self.source[0]}: holds one picture, and two are needed; give another SOURCE")
            images = images[: len(images) // 2 * 2]
        return representation.to_latent(images)
