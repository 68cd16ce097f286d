"""Speed of renderer and encoder: kernel against reference in one run, medians, compilation excluded.

python -m benchmarks.speed --out benchmarks/results/speed.json
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.evaluation.report import library_versions, machine_words
from gaussiandiffusion.files import write_json
from gaussiandiffusion.rendering import accumulate
from gaussiandiffusion.splats import Splats


@dataclass(frozen=True)
class Arguments:
    """Time the renderers and the encoder on drawn strokes."""

    out: Path
    images: int = 512
    splats: int = 70
    size: int = 28
    repeats: int = 5
    seed: int = 0


def strokes(count: int, size: int, seed: int) -> np.ndarray:
    """Grey pictures of random thick curves, uint8 [N, 1, size, size]."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        picture = Image.new("L", (4 * size, 4 * size))
        points = random.uniform(0.15, 0.85, (4, 2)) * 4 * size
        ImageDraw.Draw(picture).line([tuple(p) for p in points], 255, size // 3, joint="curve")
        pictures.append(np.asarray(picture.resize((size, size), Image.Resampling.BOX)))
    return np.stack(pictures)[:, None]


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall-clock of `repeats` runs after one that is not counted (it compiles and warms)."""
    times = []
    for i in range(repeats + 1):
        started = time.perf_counter()
        work()
        if i:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def main(arguments: Arguments) -> None:
    images = strokes(arguments.images, arguments.size, arguments.seed)
    encoder = make_encoder(1, num_splats=arguments.splats)
    encoded = encoder.encode(images)
    splats = encoded.splats
    record: dict[str, object] = {"images": arguments.images, "splats": arguments.splats, "size": arguments.size}
    record["encode_seconds_per_image"] = median_seconds(lambda: encoder.encode(images), arguments.repeats) / len(images)
    record["encode_psnr_mean"] = float(encoded.psnr.mean())

    def backward(backend: str, cutoff: float | None) -> None:
        parameters = [t.clone().requires_grad_() for t in (splats.means, splats.sigmas, splats.rhos, splats.colors)]
        total = accumulate(Splats(*parameters, splats.canvas), cutoff=cutoff, backend=backend)  # type: ignore[arg-type]
        total.square().sum().backward()

    for name, backend, cutoff in [("reference", "reference", None), ("kernel", "cpu", 3.5)]:
        forward_seconds = median_seconds(
            lambda b=backend, c=cutoff: accumulate(splats, cutoff=c, backend=b), arguments.repeats
        )
        both_seconds = median_seconds(lambda b=backend, c=cutoff: backward(b, c), arguments.repeats)
        record[f"{name}_forward_seconds_per_image"] = forward_seconds / len(images)
        record[f"{name}_forward_backward_seconds_per_image"] = both_seconds / len(images)
    for kind in ("forward", "forward_backward"):
        slow, fast = (record[f"{name}_{kind}_seconds_per_image"] for name in ("reference", "kernel"))
        record[f"{kind}_ratio"] = slow / fast  # type: ignore[operator]
    record |= {"threads": torch.get_num_threads(), "machine": machine_words(), "versions": library_versions()}
    write_json(arguments.out, record)
    print(f"kernel {record['forward_ratio']:.0f}x forward, {record['forward_backward_ratio']:.0f}x with gradients")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
