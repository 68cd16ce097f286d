"""Which models of colour pictures are compared, and how each may be sampled."""

from __future__ import annotations

from benchmarks.shared.sampling import Sampling

ROWS = {
    "splats": "canonical splats",
    "patches": "our transformer on pixel patches",
    "unet": "pixel U-Net",
}
# At most twenty passes an image; guidance counts double. Characters are determined by what is asked for.
CANDIDATES = {
    "cifar10": tuple(Sampling("few-step", 10, guidance) for guidance in (1.5, 2.0, 2.5, 3.0, 4.0)),
    "sprites": tuple(Sampling("few-step", steps) for steps in (1, 2, 4, 10)),
}
CURVE = {"cifar10": Sampling("few-step", 10, 4.0), "sprites": Sampling("few-step", 2)}


def preset(data: str, row: str) -> str:
    """The preset that a row is trained by."""
    return data if row == "splats" else f"{data}-{row}"
