"""`gaussiandiffusion encode`: images or data sets to splat sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro
from tqdm import tqdm

from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.errors import InputError


@dataclass(frozen=True)
class Command:
    """Encode images as splat sets, deterministically; prints the mean PSNR.

    Example: gaussiandiffusion encode mnist --limit 1000 --splats 70 --out sets.safetensors
    """

    source: tyro.conf.Positional[str]
    """Data-set name, folder or zip of images, image file, IDX (.gz) or .npz."""
    out: Path | None = None
    """FILE.safetensors, or a folder of shards."""
    split: Literal["train", "test"] = "train"
    """Split of a named data set."""
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    splats: int | None = None
    """K; default 70 for grey images, 150 for colour."""
    start: str = "hilbert"
    """hilbert, grid or template:FILE."""
    signed: bool = False
    """Allow negative colours: higher PSNR, but no SVG and no editing by colour."""
    iterations: int | None = None
    """Optimiser steps; default by start."""
    target_psnr: float | None = None
    """Stop each image at this PSNR in dB, and fit the hard ones longer."""
    limit: int | None = None
    """Only the first N images."""
    learn_template: Path | None = None
    """Learn a template from the whole train split, write it here, and encode from it if --out is given."""
    engine: Literal["local"] = "local"
    """Where to run."""
    resume: bool = False
    """Keep the complete shards of an interrupted run."""
    seed: int = 0
    """Of the images a template is learned from; encoding itself draws nothing at random."""
    device: Device = "auto"
    """The encoder is a CPU kernel; other devices are refused."""

    def run(self) -> None:
        if self.device not in ("auto", "cpu"):
            raise InputError(f"the encoder runs on the CPU; use --device cpu instead of {self.device}")
        if self.out is None and self.learn_template is None:
            raise InputError("nothing to write: give --out FILE-or-DIR, or --learn-template FILE")
        if self.target_psnr is not None and not 0 < self.target_psnr < 100:
            raise InputError(f"--target-psnr must lie between 0 and 100 dB, not {self.target_psnr}")
        from gaussiandiffusion.data import load_images
        from gaussiandiffusion.encoding import make_encoder
        from gaussiandiffusion.encoding.dataset import encode_dataset

        images = load_images(self.source, split=self.split, data_dir=self.data_dir, limit=self.limit)
        start = self.start
        if self.learn_template is not None:
            self._learn()
            start = f"template:{self.learn_template}"
        if self.out is None:
            return
        encoder = make_encoder(
            images.images.shape[1],
            num_splats=self.splats,
            start=start,
            iterations=self.iterations,
            signed=self.signed,
        )
        with tqdm(total=len(images), desc="encode", unit="image", unit_scale=True) as bar:
            report = encode_dataset(
                images,
                encoder,
                self.out,
                target_psnr=self.target_psnr,
                resume=self.resume,
                progress=bar.update,
            )
        psnr = report["psnr"]
        print(
            f"{report['num']} sets of {encoder.settings.num_splats} splats, PSNR mean {psnr['mean']:.2f} dB "
            f"(1 % below {psnr['p1']:.2f}): {self.out}"
        )

    def _learn(self) -> None:
        from gaussiandiffusion.data import load_images
        from gaussiandiffusion.encoding import learn_template
        from gaussiandiffusion.encoding.settings import default_settings
        from gaussiandiffusion.encoding.template import ROUNDS

        assert self.learn_template is not None
        train = load_images(self.source, split="train", data_dir=self.data_dir)
        settings = default_settings(
            train.images.shape[1],
            num_splats=self.splats,
            start="template",
            iterations=self.iterations,
            signed=self.signed,
        )
        with tqdm(total=ROUNDS, desc="template", unit="round") as bar:
            template = learn_template(train.images, settings, seed=self.seed, progress=bar.update)
        template.save(
            self.learn_template,
            signed=self.signed,
            encoder=settings.to_dict() | {"rounds": ROUNDS, "seed": self.seed},
            source={"name": train.name, "split": "train", "sha256": train.sha256},
        )
        print(f"template of {template.num_splats} splats: {self.learn_template}")
