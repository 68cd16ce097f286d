"""What a training writes on its way, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering.media import grid_image
from gaussiandiffusion.training.config import RecordConfig

SAMPLES = 64


@dataclass(frozen=True)
class Keeper:
    """Checkpoints, snapshots and sample grids, each as often as the settings say.

    Args:
        folder: of the training.
        due: how often.
        save_state: writes a checkpoint; called by every process.
        save_pipeline: writes the averaged model into a folder; called by the first process alone, as the next.
        save_grid: draws its samples into a file.
    """

    folder: Path
    due: RecordConfig
    save_state: Callable[[], None]
    save_pipeline: Callable[[Path], None]
    save_grid: Callable[[Path], None]

    def after(self, step: int, main: bool) -> None:
        """Write what is due after a step."""
        if step % self.due.checkpoint_every == 0:
            self.save_state()
        if main and self.due.snapshot_every and step % self.due.snapshot_every == 0:
            self.save_pipeline(self.folder / "snapshots" / f"step-{step:08d}")
        if main and step % self.due.sample_every == 0:
            self.save_grid(self.folder / "samples" / f"{step:08d}.png")


def save_sample_grid(pipeline: GaussianDiffusion, path: Path) -> None:
    """Draw the same 64 samples (seed 0, classes in turn) as a PNG grid."""
    images = pipeline(num_samples=SAMPLES).images
    with atomic_path(path) as temporary:
        grid_image(to_uint8(images)).save(temporary, format="PNG")
