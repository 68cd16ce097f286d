"""What an image costs: a row for each network, and the report of them beside what the paper prints."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.pipeline import GaussianDiffusion

# What the paper prints, to be held against the rows.
PRINTED: dict[str, Any] = {
    "source": "Coessens and Samal, 'GaussianDiffusion: Learning Image Generation Process in GaussianRepresentation "
    "Space', SP4V workshop at ICCV 2025, table 2",
    "rows": [
        {"name": "pixel U-Net", "parameters": 38_000_000, "gflops_per_step": 11.4, "steps": 1000},
        {"name": "splat transformer", "parameters": 40_000_000, "gflops_per_step": 4.0, "steps": 200},
    ],
    "seconds_ratio": 22,
    "note": "The ratio is of generation times on an A100 GPU; the printed GFLOPs times steps stand 14 to 1. Whether a "
    "multiply-add counts as one operation or two is not said. The transformer's parameters are 'about 40M': its layout "
    "has 41.6M with 6 blocks, 55M with the 8 that are printed.",
}
NOTES = (
    "2 operations per multiply-add; matrix products and convolutions only.",
    "Milliseconds are medians, all sides in turn after one round that is not counted, per image of a batch.",
    "Seconds per image are extrapolated: a pass's median times the passes, and one drawing; the sampler's own "
    "arithmetic between passes is left out.",
    "Guidance takes two passes a step.",
    "All networks but the first row's are untrained, which changes no cost.",
)
TRUSTED_REPEATS = 20  # timed passes below which medians are a trial, not a result


@dataclass(frozen=True)
class CostRow:
    """What one side costs.

    Attributes:
        name: of the row.
        representation: "splats" or "pixels".
        latent_shape: (K, F), or (C, H, W).
        tokens: K; None for whole images.
        parameters: weights of the network.
        steps: of the sampler.
        guidance_scale: 1 = off.
        passes: of the network per image; guidance takes two.
        flops_per_pass: of one image, 2 per multiply-add.
        flops_per_image: of all passes.
        milliseconds_per_pass: per image of a batch; median.
        render_milliseconds: from latent to picture, per image of a batch; median; 0 for pixels.
        seconds_per_image: passes and drawing.
        trained: whether the weights are a model's.
        extrapolated: `seconds_per_image` is computed from the medians, not timed whole.
    """

    name: str
    representation: str
    latent_shape: tuple[int, ...]
    tokens: int | None
    parameters: int
    steps: int
    guidance_scale: float
    passes: int
    flops_per_pass: int
    flops_per_image: int
    milliseconds_per_pass: float
    render_milliseconds: float
    seconds_per_image: float
    trained: bool
    extrapolated: bool = True


@dataclass(frozen=True)
class CostReport:
    """The rows of a run, the model's first, and everything needed to read and repeat them.

    Attributes:
        model: name or folder.
        canvas: (height, width, channels).
        device: kind of device that computed.
        batch_size: images per timed pass.
        repeats: timed passes of every row.
        rows: the model's, then its rivals'.
        left_out: why rivals are missing, by name.
        machine, versions: as in `EvaluationReport`.
    """

    model: str
    canvas: tuple[int, int, int]
    device: str
    batch_size: int
    repeats: int
    rows: list[CostRow]
    left_out: dict[str, str]
    machine: dict[str, Any]
    versions: dict[str, str]

    @classmethod
    def of(
        cls,
        model: str,
        pipeline: GaussianDiffusion,
        rows: list[CostRow],
        left_out: dict[str, str],
        *,
        batch_size: int,
        repeats: int,
    ) -> CostReport:
        """Rows of `profile` with the circumstances they were made in."""
        canvas = pipeline.representation.canvas
        return cls(
            model=model,
            canvas=(canvas.height, canvas.width, canvas.channels),
            device=pipeline.denoiser.device.type,
            batch_size=batch_size,
            repeats=repeats,
            rows=rows,
            left_out=left_out,
            machine=machine_words(),
            versions=library_versions(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: rows have `flops_ratio` and `seconds_ratio`, per image over the model's."""
        record = dataclasses.asdict(self)
        model = self.rows[0]
        for row in record["rows"]:
            row["flops_ratio"] = row["flops_per_image"] / model.flops_per_image
            row["seconds_ratio"] = row["seconds_per_image"] / model.seconds_per_image
        return record | {"quick": self.repeats < TRUSTED_REPEATS, "printed": PRINTED, "notes": list(NOTES)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report as JSON.

        Raises:
            InputError: the file cannot be written.
        """
        write_json(Path(path), self.to_dict())
