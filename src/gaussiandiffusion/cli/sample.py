"""`gaussiandiffusion sample`: generate pictures from a trained model."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
    from gaussiandiffusion.splats import Splats

GRID = 100  # pictures on the grid and in the animation, at most
GRID_PIXELS = 1000  # width the grid is enlarged toward, by whole pixels


@dataclass
class Samples:
    """What is kept of the samples once their pictures are saved.

    Attributes:
        sets: on the CPU; empty from a model of pixels.
        labels: one tensor a batch; empty from an unconditional model.
        first: the pictures of the grid, 8-bit [C, H, W].
        states: for the animation, the same samples as sets or images, noise first.
    """

    sets: list[Splats] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)
    first: list[Tensor] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Command:
    """Generate pictures: grid.png, images/, sample.json and, unless the model is one of pixels, splats.safetensors.

    Example: gaussiandiffusion sample --label 3 --num 16 --steps 10 --out out/
    """

    out: Path
    """Folder to write to."""
    model: str = "mnist"
    """Bundled model, folder of a trained pipeline, or owner/name on the Hub."""
    num: int = 64
    """Number of pictures."""
    steps: int | None = None
    """Steps of the sampler; default: the model's."""
    label: int | None = None
    """Class of all pictures; default: all classes in turn."""
    guidance: float | None = None
    """Classifier-free guidance, 1 = off; default: the model's."""
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    """Shares of the process, from 0 (data) to 1 (noise), between which guidance applies."""
    scheduler: str | None = None
    """Sampler: few-step, euler, heun, dpm++, unipc, ddpm or ddim; default: the model's."""
    eta: float = 0.0
    """Share of fresh noise with ddim."""
    batch_size: int = 256
    """Pictures held in memory at once; does not change them."""
    size: int | None = None
    """Longer side of the pictures in pixels; default: the model's canvas."""
    gif: bool = False
    """Also write materialisation.gif."""
    mp4: bool = False
    """Also write materialisation.mp4 (needs the extra [video])."""
    svg: bool = False
    """Also write every set as SVG."""
    seed: int = 0
    """Picture i depends on (seed, i) alone."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        device = resolve(self.device)  # imports torch
        import torch

        from gaussiandiffusion.diffusion import Guidance, evaluations, set_timesteps
        from gaussiandiffusion.ground.files import write_json
        from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
        from gaussiandiffusion.rendering.media import grid_image, save_png
        from gaussiandiffusion.representation import SplatRepresentation

        if self.num < 1 or self.batch_size < 1:
            raise InputError("--num and --batch-size must be at least 1")
        pipeline = GaussianDiffusionPipeline.from_pretrained(self.model).to(device)
        if self.svg and not isinstance(pipeline.representation, SplatRepresentation):
            raise InputError(f"{self.model}: generates pixels, which have no SVG; leave --svg out")
        if self.scheduler is not None:
            pipeline = pipeline.with_scheduler(self.scheduler)
        steps = pipeline.config.num_inference_steps if self.steps is None else self.steps
        guidance = pipeline.config.guidance_scale if self.guidance is None else self.guidance
        _clear(self.out)
        started = time.perf_counter()
        chunks = -(-self.num // pipeline.config.chunk_size)
        with tqdm(total=len(set_timesteps(pipeline.scheduler, steps)) * chunks, desc="sample", unit="step") as bar:
            samples = self._generate(pipeline, steps, bar.update)
        seconds = time.perf_counter() - started
        classes = torch.cat(samples.labels) if samples.labels else None
        scale = max(1, GRID_PIXELS // (10 * samples.first[0].shape[-1]))
        save_png(grid_image(torch.stack(samples.first), scale=scale), self.out / "grid.png")
        written = ["grid.png", "images/"]
        if samples.sets:
            written += self._write_sets(samples.sets, classes, steps, guidance)
        if samples.states:
            written += self._write_animation(pipeline, samples.states, max(1, scale // 2))
        record: dict[str, Any] = {
            "model": self.model,
            "num": self.num,
            "seed": self.seed,
            "steps": steps,
            "evaluations": evaluations(pipeline.scheduler, steps, Guidance(guidance, *self.guidance_interval)),
            "guidance": guidance,
            "guidance_interval": list(self.guidance_interval),
            "scheduler": type(pipeline.scheduler).__name__,
            "eta": self.eta,
            "labels": None if classes is None else classes.tolist(),
            "device": device.type,
            "seconds_per_image": seconds / self.num,
        }
        write_json(self.out / "sample.json", record)
        print(f"{self.num} pictures in {seconds:.1f} s: {self.out}/{', '.join([*written, 'sample.json'])}")

    def _generate(self, pipeline: GaussianDiffusionPipeline, steps: int, callback: Callable[[int], None]) -> Samples:
        """Generate batch by batch, and save each batch's pictures."""
        from gaussiandiffusion.pipeline import to_uint8
        from gaussiandiffusion.rendering.media import save_png, to_image

        chunk = pipeline.config.chunk_size
        batch = -(-self.batch_size // chunk) * chunk  # whole chunks
        samples = Samples()
        for start in range(0, self.num, batch):
            out = pipeline(
                num_samples=min(batch, self.num - start),
                first_sample=start,
                class_labels=self.label,
                num_inference_steps=steps,
                guidance_scale=self.guidance,
                guidance_interval=self.guidance_interval,
                seed=self.seed,
                eta=self.eta,
                size=self.size,
                return_trajectory=(self.gif or self.mp4) and start == 0,
                callback=callback,
            )
            pixels = to_uint8(out.images)
            for i, picture in enumerate(pixels, start):
                save_png(to_image(picture), self.out / "images" / f"{self._number(i)}.png")
            if out.splats is not None:
                samples.sets.append(out.splats.to("cpu"))
            if out.labels is not None:
                samples.labels.append(out.labels)
            if len(samples.first) < GRID:
                samples.first.extend(pixels[: GRID - len(samples.first)])
            if out.trajectory is not None:
                samples.states = [state[:GRID] for state in out.trajectory]
        return samples

    def _write_sets(self, sets: list[Splats], labels: Tensor | None, steps: int, guidance: float) -> list[str]:
        """The sets as a file, and as SVG if asked for; returns what was written."""
        from gaussiandiffusion.rendering import to_svg
        from gaussiandiffusion.splats import Splats

        splats = Splats.cat(sets)
        splats.save(
            self.out / "splats.safetensors",
            labels=labels,
            encoder={"model": self.model},
            source={
                "seed": self.seed,
                "steps": steps,
                "guidance": guidance,
                "guidance_interval": list(self.guidance_interval),
            },
        )
        if not self.svg:
            return ["splats.safetensors"]
        for i in range(len(splats)):
            to_svg(splats[i], self.out / "svg" / f"{self._number(i)}.svg", size=self.size)
        return ["splats.safetensors", "svg/"]

    def _write_animation(self, pipeline: GaussianDiffusionPipeline, states: list[Any], scale: int) -> list[str]:
        """The sheets of all steps as GIF and MP4, where asked for; returns what was written."""
        from gaussiandiffusion.pipeline import to_uint8
        from gaussiandiffusion.rendering.media import grid_image, save_gif, save_mp4

        draw = pipeline.representation.draw
        sheets = [grid_image(to_uint8(draw(state, self.size)), scale=scale) for state in states]
        written = []
        if self.gif:
            save_gif(sheets, self.out / "materialisation.gif")
            written.append("materialisation.gif")
        if self.mp4:
            save_mp4(sheets, self.out / "materialisation.mp4")
            written.append("materialisation.mp4")
        return written

    def _number(self, index: int) -> str:
        """A sample's number as its files' name, all of one length."""
        return f"{index:0{max(5, len(str(self.num - 1)))}d}"


def _clear(out: Path) -> None:
    """Remove what an earlier sample left from its own folder; refuse a folder that is something else."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; --out names a folder")
    if (out / "sample.json").is_file():
        for pattern in ("images/[0-9]*.png", "svg/[0-9]*.svg", "materialisation.*", "splats.safetensors"):
            for path in out.glob(pattern):
                path.unlink()
