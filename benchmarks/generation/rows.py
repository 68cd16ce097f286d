"""Which models are compared, and how each may be sampled."""

from __future__ import annotations

from benchmarks.shared.sampling import Sampling

ROWS = {
    "splats": "canonical splats, K = 24",
    "splats-32": "canonical splats, K = 32",
    "unet": "pixel U-Net",
    "patches": "our transformer on pixel patches",
    "published": "published splat recipe",
    "tenth": "canonical splats, 600 steps",
}
# At most ten passes an image; guidance counts double. The published recipe's own sampler takes 200.
CANDIDATES = (
    *(Sampling(name, 10) for name in ("few-step", "dpm++")),
    *(Sampling(name, 5, guidance) for name in ("few-step", "dpm++") for guidance in (1.25, 1.5)),
)
CHECKPOINTS = Sampling("dpm++", 10)
# A patch network has twice the tokens of a splat network: about as many milliseconds take half the passes.
SHORTER = {
    "patches": tuple(Sampling(name, *way) for name in ("few-step", "dpm++") for way in ((5,), (2, 1.25), (2, 1.5)))
}
OWN = {"published": Sampling("ddim", 200)}


def candidates(row: str) -> list[Sampling]:
    """Those that a row's model can take: few-step is for flows."""
    return [sampling for sampling in CANDIDATES if row != "published" or sampling.scheduler != "few-step"]
