"""`gaussiandiffusion sample`: generate pictures from a trained model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tqdm import tqdm

from gaussiandiffusion.cli.checks import (
    LARGEST_SIDE,
    check_folder,
    check_installed,
    check_model,
    check_numbers,
    check_sheet,
)
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.large_gifs import note_large
from gaussiandiffusion.gallery.animation import LOOPS
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.gallery import GalleryWriter
    from gaussiandiffusion.ground.attributes import Value
    from gaussiandiffusion.pipeline import GaussianDiffusion

NUM = 64  # pictures by default
FASTEST = 240  # frames a second


@dataclass(frozen=True)
class Command:
    """Generate pictures: grid.png, images/, sample.json and, unless the model is one of pixels, splats.safetensors.
    With --sheet, a character in all its frames: sheet.png, sheet.json, sheet.aseprite.json, animations/.

    Example: gaussiandiffusion sample --label 3 --num 16 --steps 10 --out out/
    Example: gaussiandiffusion sample --model sprites --sheet --fps 24 --out hero/
    """

    out: Path
    """Folder to write to."""
    model: str = "mnist"
    """Bundled model, folder of a trained pipeline, or owner/name on the Hub."""
    num: int | None = None
    """Number of pictures, default 64; with --sheet of characters, default 1, several each in a folder of its own."""
    steps: int | None = None
    """Steps of the sampler; default: the model's."""
    label: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """Class of all pictures, by name or number, or NAME=VALUE for each of several attributes (--label hair=2 --label
    action=walk); any: left to the model. Default: all classes in turn, and of several attributes those not named drawn
    by seed."""
    guidance: float | None = None
    """Classifier-free guidance, 1 = off; default: the model's."""
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    """Times, from 0 (data) to 1 (noise), between which guidance applies."""
    scheduler: Literal["few-step", "euler", "heun", "dpm++", "unipc", "ddpm", "ddim"] | None = None
    """Sampler; default: the model's."""
    eta: float = 0.0
    """Share of fresh noise with ddim."""
    batch_size: int = 256
    """Pictures held in memory at once; does not change them."""
    size: int | None = None
    """Longer side of the pictures in pixels, of SVGs too; default: the model's canvas."""
    gif: bool = False
    """Also write materialisation.gif."""
    mp4: bool = False
    """Also write materialisation.mp4 (needs the extra [video])."""
    apng: bool = False
    """Also write materialisation.apng, without loss."""
    svg: bool = False
    """Also write every set as SVG."""
    sheet: bool = False
    """Instead of pictures, a character as games take it: every frame of its actions and directions, made of one noise,
    on one sheet, with a GIF of each action (models with the attributes action and frame, such as sprites)."""
    fps: int | None = None
    """Frames a second of the sheet's animations; default: 8, the drawn frames. At 24 two frames lie between each two
    drawn ones, made of their splats."""
    loop: tuple[str, ...] = LOOPS
    """Actions of the sheet that go round, the first frame after the last."""
    mixed_precision: Literal["auto", "no", "bf16"] = "auto"
    """bfloat16 in the network; auto: where the device has such products and a short trial finds them faster."""
    seed: int = 0
    """Picture i depends on (seed, i) alone."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        self._check()
        if self.sheet:
            from gaussiandiffusion.cli.characters import write_characters

            write_characters(self)
        else:
            self._write_gallery()

    @property
    def _animated(self) -> bool:
        return self.gif or self.mp4 or self.apng

    def load(self) -> tuple[GaussianDiffusion, str]:
        """The model on its device with the sampler that was asked for, and the network's precision."""
        device = resolve(self.device)  # imports torch
        import torch

        from gaussiandiffusion.pipeline import GaussianDiffusion
        from gaussiandiffusion.pipeline.precision import faster_for_sampling

        pipeline = GaussianDiffusion.from_pretrained(self.model).to(device)
        if self.svg and pipeline.representation.kind == "pixels":
            raise InputError(f"{self.model}: generates pixels, which have no SVG; leave --svg out")
        if self.scheduler is not None:
            pipeline = pipeline.with_scheduler(self.scheduler)
        precision: str = self.mixed_precision
        if precision == "auto":
            trial = faster_for_sampling(pipeline.denoiser, pipeline.representation, pipeline.chunk_size)
            precision = trial.precision
        if precision == "bf16":
            pipeline.to(torch.bfloat16)
        return pipeline, precision

    def _write_gallery(self) -> None:
        pipeline, precision = self.load()
        from gaussiandiffusion.diffusion import Guidance, passes, prepared
        from gaussiandiffusion.edit.sets_in import template_sha256
        from gaussiandiffusion.gallery import GalleryWriter, SampleRecord

        num = self.num or NUM
        asked = pipeline.condition_spec.parse(self.label)
        steps = pipeline.config.num_inference_steps if self.steps is None else self.steps
        guidance = pipeline.config.guidance_scale if self.guidance is None else self.guidance
        chunks = -(-num // pipeline.chunk_size)
        total = len(prepared(pipeline.scheduler, steps).timesteps) * chunks
        writer = GalleryWriter(self.out, num)
        started = time.perf_counter()
        with tqdm(total=total, desc="sample", unit="step") as bar:
            self._generate(pipeline, asked, steps, writer, bar)
        seconds = time.perf_counter() - started
        writer.write_grid()
        made: dict[str, Any] = {"seed": self.seed, "steps": steps, "guidance": guidance}
        made |= {"guidance_interval": list(self.guidance_interval)}
        template = template_sha256(pipeline.representation)
        writer.write_sets(made, self.model, svg=self.svg, size=self.size, template=template)
        writer.write_animation(pipeline.representation, gif=self.gif, mp4=self.mp4, apng=self.apng, size=self.size)
        if self.gif:
            note_large(self.out / "materialisation.gif")
        conditions = writer.conditions
        labels = None if conditions is None else conditions.labels
        record = SampleRecord(
            **made,
            model=self.model,
            num=num,
            passes=passes(pipeline.scheduler, steps, Guidance(guidance, *self.guidance_interval)),
            scheduler=type(pipeline.scheduler).__name__,
            eta=self.eta,
            labels=None if labels is None else labels.tolist(),
            conditions=None if conditions is None else conditions.words(),
            device=pipeline.device.type,
            mixed_precision=precision,
            seconds_per_image=seconds / num,
        )
        writer.write_record(record)
        print(f"{num} pictures in {seconds:.1f} s: {self.out}/{', '.join(writer.written)}")

    def _check(self) -> None:
        """Refuse what can be told to be wrong without the model's network."""
        check_numbers(num=self.num, batch_size=self.batch_size, steps=self.steps)
        check_numbers(most=FASTEST, fps=self.fps)
        check_numbers(most=LARGEST_SIDE, size=self.size)
        check_numbers(0, seed=self.seed)
        check_numbers(0, 1, eta=self.eta)
        check_folder(self.out)
        if self.mp4:
            check_installed("video", "--mp4", "av")
        if self.fps is not None and not self.sheet:
            raise InputError("--fps is for the animations of a sheet; give --sheet too, or leave it out")
        if self.loop != LOOPS and not self.sheet:
            raise InputError("--loop names actions of a sheet that go round; give --sheet too, or leave it out")
        if self.sheet and (self._animated or self.svg):
            raise InputError("--sheet writes its own GIFs; leave --gif, --mp4, --apng and --svg out")
        conditions = check_model(self.model)
        if conditions is not None:
            asked = conditions.parse(self.label)
            if self.sheet:
                check_sheet(self.model, conditions, asked, self.loop)

    def _generate(
        self,
        pipeline: GaussianDiffusion,
        asked: dict[str, Value],
        steps: int,
        writer: GalleryWriter,
        bar: tqdm,
    ) -> None:
        """Generate batch by batch, and save each batch's pictures."""
        chunk = pipeline.chunk_size
        batch = -(-self.batch_size // chunk) * chunk  # whole chunks
        for start in range(0, writer.num, batch):
            out = pipeline(
                num_samples=min(batch, writer.num - start),
                first_sample=start,
                conditions=asked,
                num_inference_steps=steps,
                guidance_scale=self.guidance,
                guidance_interval=self.guidance_interval,
                seed=self.seed,
                eta=self.eta,
                size=self.size,
                return_trajectory=self._animated and start == 0,
                callback=lambda _: bar.update(),
            )
            writer.add(out, start)
