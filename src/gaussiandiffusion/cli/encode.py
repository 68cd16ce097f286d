"""`gaussiandiffusion encode`: images or data sets to splat sets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro
from tqdm import tqdm

from gaussiandiffusion.cli.checks import check_file, check_installed, check_numbers, check_template
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.framing import FramingFlags
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.data import ImageSet, ImageSource

START = "hilbert"
SAMPLE_BYTES, SAMPLE_LEAST = 256 << 20, 512  # of the images that a template is learned from: held, all of them


@dataclass(frozen=True)
class Command:
    """Encode images as splat sets, deterministically; prints the mean PSNR.

    Example: gaussiandiffusion encode mnist --limit 1000 --splats 70 --out sets.safetensors
    """

    source: tyro.conf.Positional[str]
    """Data-set name, folder or zip of images, image file, IDX (.gz), .npz or .parquet."""
    out: Path | None = None
    """FILE.safetensors, or a folder of shards."""
    split: Literal["train", "test"] = "train"
    """Split of a data set, or of a folder or zip with sub-folders train/ and test/."""
    framing: FramingFlags = field(default_factory=Framing)
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    splats: int | None = None
    """K; default 70 for grey images, 150 for colour."""
    start: str = START
    """hilbert, grid, random or template:FILE."""
    signed: bool = False
    """Allow negative colours: higher PSNR, but no SVG and no editing by colour."""
    iterations: int | None = None
    """Optimiser steps; default by start."""
    target_psnr: float | None = None
    """Stop each image at this PSNR in dB, and fit the hard ones longer."""
    allocate: Literal["error", "start"] | None = None
    """Where splats go: where the picture is still wrong, while it is fitted, or all of them where the start puts them;
    default: error for 1,000 splats or more on photographs."""
    limit: int | None = None
    """Only the first N images."""
    learn_template: Path | None = None
    """Learn a template from the whole train split (of one beyond 256 MiB, from a random sample of it), write it here,
    and encode from it if --out is given."""
    texture: bool = False
    """Learn a template whose sets follow texture, such as cloth's: higher PSNR, sets less alike."""
    engine: Literal["local", "ray"] = "local"
    """Where to fit: here, or on a Ray cluster (that of RAY_ADDRESS, or a running one, or one started here)."""
    workers: int | None = None
    """Threads, or processes of a Ray cluster started here; default: one for each CPU. The files do not depend on it."""
    resume: bool = False
    """Keep the complete shards of an interrupted run."""
    seed: int = 0
    """Of the images a template is learned from; encoding itself draws nothing at random."""
    device: Device = "auto"
    """auto and cpu: the fused kernel; others: the PyTorch reference there, locally only."""

    def run(self) -> None:
        self._check()
        from gaussiandiffusion.data import open_images

        images = open_images(
            self.source, split=self.split, data_dir=self.data_dir, limit=self.limit, framing=self.framing
        )
        device = resolve("cpu" if self.device == "auto" else self.device)  # imports torch
        from gaussiandiffusion.encoding import make_encoder, prepare
        from gaussiandiffusion.encoding.cluster import ray_engine
        from gaussiandiffusion.encoding.dataset import encode_dataset, local
        from gaussiandiffusion.splats import Canvas

        if self.engine == "local" and device.type == "cpu":
            height, width, channels = images.canvas
            prepare(Canvas(height, width, channels))  # beside the reading of the images
        engine = ray_engine(self.workers) if self.engine == "ray" else local(self.workers, device)
        start = self.start
        if self.learn_template is not None:
            self._learn()
            start = f"template:{self.learn_template}"
        if self.out is None:
            return
        encoder = make_encoder(
            images.canvas[2],
            num_splats=self.splats,
            start=start,
            iterations=self.iterations,
            signed=self.signed,
            pixels=images.canvas[0] * images.canvas[1],
            allocate=self.allocate,
        )
        with tqdm(total=len(images), desc="encode", unit="image", unit_scale=True) as bar:
            report = encode_dataset(
                images,
                encoder,
                self.out,
                target_psnr=self.target_psnr,
                resume=self.resume,
                engine=engine,
                progress=bar.update,
                on_shard=lambda psnr: bar.set_postfix_str(f"PSNR {psnr:.2f} dB", refresh=False),
            )
        psnr = report["psnr"]
        print(
            f"{report['num']} sets of {encoder.settings.num_splats} splats, PSNR mean {psnr['mean']:.2f} dB "
            f"(1 % below {psnr['p1']:.2f}): {self.out}"
        )

    def _check(self) -> None:
        """Refuse what can be told to be wrong before the images are opened."""
        if self.engine == "ray":
            if self.device not in ("auto", "cpu"):
                raise InputError(f"a Ray cluster fits on CPUs; use --device cpu instead of {self.device}")
            check_installed("ray", "the engine ray", "ray")
        if self.out is None and self.learn_template is None:
            raise InputError("nothing to write: give --out FILE-or-DIR, or --learn-template FILE")
        if self.texture and self.learn_template is None:
            raise InputError("--texture is decided when a template is learned; give --learn-template FILE with it")
        if self.start != START and self.learn_template is not None:
            raise InputError(f"sets begin at the template that is learned; leave --start {self.start} out")
        of_sets = {"target-psnr": self.target_psnr, "allocate": self.allocate, "resume": self.resume or None}
        idle = [flag for flag, value in of_sets.items() if self.out is None and value is not None]
        if idle:
            raise InputError(f"--{idle[0]} is of sets, and a template alone is asked for; give --out, or leave it out")
        if self.allocate == "error" and (self.start.startswith("template") or self.learn_template is not None):
            raise InputError("a template says where splats begin, and each keeps its slot; leave --allocate error out")
        if self.target_psnr is not None and not 0 < self.target_psnr < 100:
            raise InputError(f"--target-psnr must lie between 0 and 100 dB, not {self.target_psnr}")
        check_numbers(workers=self.workers, limit=self.limit)
        check_numbers(0, seed=self.seed)
        check_file(self.learn_template)
        check_template(self.start)

    def _learn(self) -> None:
        from gaussiandiffusion.data import open_images
        from gaussiandiffusion.encoding import learn_template
        from gaussiandiffusion.encoding.settings import default_settings
        from gaussiandiffusion.encoding.template import ROUNDS, save_template

        assert self.learn_template is not None
        images = open_images(self.source, split="train", data_dir=self.data_dir, framing=self.framing)
        train = _sample(images, self.seed)
        settings = default_settings(
            train.images.shape[1],
            num_splats=self.splats,
            start="template",
            iterations=self.iterations,
            signed=self.signed,
            texture=self.texture,
        )
        with tqdm(total=ROUNDS, desc="template", unit="round") as bar:
            template = learn_template(train.images, settings, seed=self.seed, progress=bar.update)
        save_template(self.learn_template, template, settings, train, self.seed)
        print(f"template of {template.num_splats} splats: {self.learn_template}")


def _sample(train: ImageSource, seed: int) -> ImageSet:
    """The whole split; of one that is too large to hold, as many images as may be, drawn from all of it by `seed`."""
    import numpy as np

    most = max(SAMPLE_LEAST, SAMPLE_BYTES // math.prod(train.canvas))
    if len(train) <= most:
        return train.read()
    return train.take(np.sort(np.random.default_rng(seed).choice(len(train), most, replace=False)))
