"""The stability figure: pixel and splat models at equal training FLOPs; python -m benchmarks.stability draws it.

After the paper's Fig. 8, with distances beside the pictures. The numbers and pictures are of `benchmarks.generation`,
section "stability".
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from benchmarks.sections import RESULTS
from gaussiandiffusion.ground.files import atomic_path, read_json
from gaussiandiffusion.rendering.media import grid_image

SHARES = (1 / 6, 1 / 2, 1.0)  # of the FLOPs that the shorter training has


@dataclass(frozen=True)
class Checkpoint:
    """A model on its way: its pipeline folder, steps and training FLOPs so far."""

    folder: Path
    steps: int
    flops: float


def checkpoints(run: Path) -> list[Checkpoint]:
    """All snapshots of a training and its end, in order."""
    record = read_json(run / "training.json")
    per_step = record["flops"] / record["steps"]
    found = {int(path.name.removeprefix("step-")): path for path in (run / "snapshots").glob("step-*")}
    found[record["steps"]] = run / "pipeline"
    return [Checkpoint(folder, steps, steps * per_step) for steps, folder in sorted(found.items())]


def equal_flops(runs: Mapping[str, Path]) -> dict[str, list[Checkpoint]]:
    """For each training the checkpoints nearest to shares of the FLOPs that all of them reached."""
    known = {name: checkpoints(run) for name, run in runs.items()}
    common = min(found[-1].flops for found in known.values())
    return {
        name: [min(found, key=lambda c, goal=share * common: abs(c.flops - goal)) for share in SHARES]
        for name, found in known.items()
    }


def picture_text(images: UInt8[ndarray, "n c h w"]) -> str:
    """Digits, ten a row, as the base64 of a PNG."""
    file = io.BytesIO()
    grid_image(torch.from_numpy(images), columns=10).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def draw(section: Mapping[str, Any]) -> Any:
    """Grids of digits, a row for each model and a column for each checkpoint."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 0.2 + 1.5 * len(section)))
    axes = figure.subplots(len(section), len(SHARES), squeeze=False)
    for i, result in enumerate(section.values()):
        for axis, checkpoint in zip(axes[i], result["checkpoints"], strict=True):
            picture = Image.open(io.BytesIO(base64.b64decode(checkpoint["png"])))
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(f"{checkpoint['flops'] / 1e12:.0f} TFLOP: FID {checkpoint['fid']:.2f}", fontsize=9)
            axis.set(xticks=[], yticks=[])
        axes[i, 0].set_ylabel(result["title"], fontsize=9)
    figure.tight_layout()
    return figure


@dataclass(frozen=True)
class Arguments:
    """Draw the figure.

    Args:
        results: file of `benchmarks.generation`.
        out: PNG.
    """

    results: Path = RESULTS / "generation.json"
    out: Path = Path(__file__).parent.parent / "docs" / "pictures" / "stability.png"


def main(arguments: Arguments) -> None:
    record = read_json(arguments.results)
    with atomic_path(arguments.out) as temporary:
        figure = draw(record["stability"])
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
