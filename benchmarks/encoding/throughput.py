"""One data set, encoded whole to a temporary folder; prints the result as a line of JSON.

    python -m benchmarks.encoding.throughput mnist --splats 70 --target-psnr 40 --data-dir DIR

Compilation, or loading what an earlier run compiled, is over before the clock starts: a few images are encoded first,
with a PSNR asked for that nothing reaches, so that every pass runs. Reading the images and writing the shards is in the
time. Run it as a process of its own: its peak of memory is the whole process's.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tyro

from gaussiandiffusion.data import open_images
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.encoding.dataset import encode_dataset
from gaussiandiffusion.ground.provenance import peak_memory

UNREACHABLE = 99.0  # dB


@dataclass(frozen=True)
class Arguments:
    """Encode a data set's training split and tell what it took.

    Args:
        splats: K.
        target_psnr: see `gaussiandiffusion encode`.
        limit: the first so many images only.
    """

    data: tyro.conf.Positional[str]
    splats: int
    target_psnr: float | None = None
    data_dir: Path | None = None
    limit: int | None = None


def main(arguments: Arguments) -> None:
    images = open_images(arguments.data, split="train", data_dir=arguments.data_dir, limit=arguments.limit)
    encoder = make_encoder(images.canvas[2], num_splats=arguments.splats)
    encoder.encode(images.limit(2).read().images, target_psnr=UNREACHABLE)
    with tempfile.TemporaryDirectory() as folder:
        report = encode_dataset(images, encoder, Path(folder) / "sets", target_psnr=arguments.target_psnr)
    result = {
        "data": arguments.data,
        "images": report["num"],
        "num_splats": arguments.splats,
        "iterations": encoder.settings.iterations,
        "target_psnr": arguments.target_psnr,
        "below_target": report.get("below_target"),
        "psnr": report["psnr"],
        "seconds": report["seconds"],
        "images_per_second": report["images_per_second"],
        "peak_memory_bytes": peak_memory(),
        "settings": encoder.settings.to_dict(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
