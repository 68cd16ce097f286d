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

import tyro
from PIL import Image

from benchmarks.shared.sections import RESULTS, ROOT, read_result
from benchmarks.stability.checkpoints import SHARES
from gaussiandiffusion.ground.files import atomic_path


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
    out: Path = ROOT / "docs" / "pictures" / "stability.png"


def main(arguments: Arguments) -> None:
    record = read_result(arguments.results)
    with atomic_path(arguments.out) as temporary:
        figure = draw(record["stability"])
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
