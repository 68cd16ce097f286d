"""Networks by the name of their size; read without importing any."""

from __future__ import annotations

import difflib
from typing import Any

from gaussiandiffusion.ground.errors import InputError

# The paper prints 8 blocks, "about 40M parameters" and "4 GFLOPs a step", which disagree: as described, 8 blocks
# hold 55M and 6 hold 41.6M. Both are offered; nothing is tuned to fit.
SIZES: dict[str, dict[str, Any]] = {
    "paper": {"block": "film", "width": 512, "depth": 8, "num_heads": 8},
    "paper-6": {"block": "film", "width": 512, "depth": 6, "num_heads": 8},
    "tiny": {"block": "adaptive", "width": 64, "depth": 4, "num_heads": 2},
    "compact": {"block": "adaptive", "width": 96, "depth": 6, "num_heads": 3},
    # For several attributes: what they ask for is worked out once for a set, so room for it costs little time.
    "attributes": {"block": "adaptive", "width": 96, "depth": 3, "num_heads": 3, "condition_width": 512},
    "small": {"block": "adaptive", "width": 128, "depth": 6, "num_heads": 4},
    "base": {"block": "adaptive", "width": 384, "depth": 12, "num_heads": 6},
}
# "unet" is as large as minutes of training on two cores can use. "unet-paper" stands for the paper's "38M parameters,
# 11.4 GFLOPs a step", whose layout is not printed: on 28x28 it has 39.9M and 11.0 GFLOPs (2 per multiply-add).
UNET_SIZES: dict[str, dict[str, Any]] = {
    "unet": {"widths": (16, 32, 64), "layers": 1, "attention": (2,), "norm_groups": 8},
    "unet-paper": {"widths": (128, 256, 384), "layers": 2, "attention": (1,), "norm_groups": 32},
}


def check_size(size: str) -> None:
    """Refuse a size that no network has; raises InputError with those there are."""
    known = [*SIZES, *UNET_SIZES]
    if size not in known:
        near = difflib.get_close_matches(size, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"unknown network size '{size}'; choose one of {', '.join(known)}{hint}")
