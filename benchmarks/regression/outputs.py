"""What users get, as checksums: samples of the bundled models and sets of each data set's first images.

    python -m benchmarks.regression.outputs --data-dir DIR --out FILE.json

Run it before and after a change that is to alter nothing, and compare the files: on one machine with one version of the
libraries every sum must be the same. The tests hold the sums of one class of machine, and the means for all others.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

import gaussiandiffusion as gd
from gaussiandiffusion.data import load_images

MODELS = ("mnist", "mnist-few", "fashion-mnist")
SOURCES = ("mnist", "fashion-mnist", "cifar10", "sprites", "sprites64")
SAMPLES, IMAGES = 64, 200


@dataclass(frozen=True)
class Arguments:
    """Checksums of samples and encodings."""

    out: Path
    """JSON file to write."""
    data_dir: Path | None = None
    """Folder with local copies of the data sets; without it only what needs none is done."""


def checksum(*arrays: Any) -> str:
    """SHA-256 of some arrays' bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def machine_class() -> str:
    """What decides the last bits of floating-point results: kind of processor, libraries, threads."""
    libraries = f"torch {torch.__version__.split('+')[0]}, numba {importlib.metadata.version('numba')}"
    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{platform.machine()}, {_processor()}, {vectors}, {libraries}, {torch.get_num_threads()} threads"


def _processor() -> str:
    """Vendor and family, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    known = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    return f"{known.get('vendor_id', 'unknown')} family {known.get('cpu family', '?')}"


def synthetic(channels: int, side: int, count: int = 8) -> np.ndarray:
    """Smooth pictures with edges from a fixed formula, uint8 [N, C, side, side], for machines without data sets."""
    y, x = np.mgrid[:side, :side] / side
    pictures = []
    for i in range(count):
        disc = np.hypot(x - 0.5, y - 0.5) < 0.45
        waves = [(i + c + 1) * x + (i * (c + 2) % 5) * y for c in range(channels)]
        planes = [127.5 + 127.5 * np.sin(2 * np.pi * wave) * disc for wave in waves]
        pictures.append(np.stack(planes))
    return np.rint(np.stack(pictures)).astype(np.uint8)


def outputs(data_dir: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name, and checksums and means, of everything in turn."""
    for name in MODELS:
        out = gd.GaussianDiffusionPipeline.from_pretrained(name)(num_samples=SAMPLES, seed=0)
        pixels = (out.images * 255).round().byte()
        yield (
            f"sample {name}",
            {
                "pixels": checksum(pixels.numpy()),
                "sets": checksum(*(value.numpy() for _, value in sorted(out.splats.tensors().items()))),
                "mean": float(out.images.double().mean()),
                "means_x": float(out.splats.means[..., 0].double().mean()),
            },
        )
    for channels, side in ((1, 28), (3, 32), (3, 160)):
        yield f"encode synthetic {channels}x{side}x{side}", encoded(synthetic(channels, side))
    for name in SOURCES if data_dir is not None else ():
        yield f"encode {name}", encoded(load_images(name, split="train", data_dir=data_dir, limit=IMAGES).images)


def encoded(images: np.ndarray) -> dict[str, Any]:
    """Checksum and a mean of the sets of some images at default settings."""
    splats = gd.encode(images)
    drawn = gd.render(splats, backend="cpu").double().numpy()
    return {
        "sets": checksum(*(value.numpy() for _, value in sorted(splats.tensors().items()))),
        "psnr": float(-10 * np.log10(np.square(drawn - images / 255).mean())),
    }


def main(arguments: Arguments) -> None:
    found = dict(outputs(arguments.data_dir))
    record = {"machine_class": machine_class(), "outputs": found}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n")
    print(f"{len(found)} outputs: {arguments.out}")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
