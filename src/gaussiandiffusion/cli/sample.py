"""`gaussiandiffusion sample`: generate pictures from a trained model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.errors import InputError

GRID = 100  # pictures on the grid and in the animation, at most
GRID_PIXELS = 1000  # width the grid is enlarged toward, by whole pixels


@dataclass(frozen=True)
class Command:
    """Generate pictures: grid.png, images/, splats.safetensors and sample.json.

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
    scheduler: str | None = None
    """Sampler: euler, heun, dpm++, unipc, ddpm or ddim; default: the model's."""
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

        from gaussiandiffusion.files import write_json
        from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, steps_per_chunk, to_uint8
        from gaussiandiffusion.rendering import to_svg
        from gaussiandiffusion.rendering.pictures import grid_image, save_gif, save_mp4, save_png, to_image
        from gaussiandiffusion.splats import Splats

        if self.num < 1 or self.batch_size < 1:
            raise InputError("--num and --batch-size must be at least 1")
        pipeline = GaussianDiffusionPipeline.from_pretrained(self.model).to(device)
        if self.scheduler is not None:
            pipeline = pipeline.with_scheduler(self.scheduler)
        steps = pipeline.config.num_inference_steps if self.steps is None else self.steps
        guidance = pipeline.config.guidance_scale if self.guidance is None else self.guidance
        chunk = pipeline.config.chunk_size
        batch = -(-self.batch_size // chunk) * chunk  # whole chunks
        evaluations = steps_per_chunk(pipeline.scheduler, steps)
        digits = max(5, len(str(self.num - 1)))
        _clear(self.out)
        started = time.perf_counter()
        sets: list[Splats] = []
        labels: list[Any] = []
        first: list[Any] = []
        frames: list[Splats] = []
        with tqdm(total=evaluations * -(-self.num // chunk), desc="sample", unit="step") as bar:
            for start in range(0, self.num, batch):
                moving = (self.gif or self.mp4) and start == 0
                out = pipeline(
                    num_samples=min(batch, self.num - start),
                    first_sample=start,
                    class_labels=self.label,
                    num_inference_steps=steps,
                    guidance_scale=self.guidance,
                    seed=self.seed,
                    eta=self.eta,
                    size=self.size,
                    return_trajectory=moving,
                    callback=bar.update,
                )
                pixels = to_uint8(out.images)
                for i, picture in enumerate(pixels, start):
                    save_png(to_image(picture), self.out / "images" / f"{i:0{digits}d}.png")
                sets.append(out.splats.to("cpu"))
                labels.append(out.labels)
                if len(first) < GRID:
                    first.extend(pixels[: GRID - len(first)])
                if moving:
                    frames = [state[:GRID] for state in out.trajectory]
        seconds = time.perf_counter() - started
        splats = Splats.cat(sets)
        classes = None if labels[0] is None else torch.cat(labels)
        scale = max(1, GRID_PIXELS // (10 * first[0].shape[-1]))
        save_png(grid_image(torch.stack(first), scale=scale), self.out / "grid.png")
        splats.save(
            self.out / "splats.safetensors",
            labels=classes,
            encoder={"model": self.model},
            source={"seed": self.seed, "steps": steps, "guidance": guidance},
        )
        if frames:
            from gaussiandiffusion.rendering import render

            sheets = [grid_image(to_uint8(render(state, self.size)), scale=max(1, scale // 2)) for state in frames]
            if self.gif:
                save_gif(sheets, self.out / "materialisation.gif")
            if self.mp4:
                save_mp4(sheets, self.out / "materialisation.mp4")
        if self.svg:
            for i in range(len(splats)):
                to_svg(splats[i], self.out / "svg" / f"{i:0{digits}d}.svg", size=self.size)
        record: dict[str, Any] = {
            "model": self.model,
            "num": self.num,
            "seed": self.seed,
            "steps": steps,
            "evaluations": evaluations,
            "guidance": guidance,
            "scheduler": type(pipeline.scheduler).__name__,
            "eta": self.eta,
            "labels": None if classes is None else classes.tolist(),
            "device": device.type,
            "seconds_per_image": seconds / self.num,
        }
        write_json(self.out / "sample.json", record)
        print(f"{self.num} pictures in {seconds:.1f} s: {self.out}/grid.png, images/, splats.safetensors, sample.json")


def _clear(out: Path) -> None:
    """Remove the pictures of an earlier sample from its own folder; refuse a folder that is something else."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; --out names a folder")
    if (out / "sample.json").is_file():
        for pattern in ("images/[0-9]*.png", "svg/[0-9]*.svg", "materialisation.*"):
            for path in out.glob(pattern):
                path.unlink()
