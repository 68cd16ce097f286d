"""Sets between two sets, slot by slot: what canonical sets allow, since slot k is the same part of every picture."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation.features import from_features, to_features
from gaussiandiffusion.splats import Splats


def between(first: Splats, second: Splats, share: Float[Tensor, " n"]) -> Splats:
    """Sets on the way from the first to the second.

    Places and colours go straight; covariances by their logarithms, so that a splat turns and stretches without growing
    thick on the way (Arsigny et al., "Log-Euclidean Metrics", 2006).

    Args:
        first, second: N sets each, of one canvas and K, drawn as sums; splat k of the one becomes splat k of the other.
        share: of the way, 0: the first; 1: the second.

    Returns:
        N sets; opacities are folded into the colours.

    Raises:
        InputError: sets of another number, canvas, K or way of drawing.
    """
    for one, other, what in (
        (len(first), len(second), "number"), (first.num_splats, second.num_splats, "K"),
        (first.canvas, second.canvas, "canvas"), (first.output, second.output, "output"),
        (first.blending, "sum", "blending"), (second.blending, "sum", "blending"),
    ):  # fmt: skip
        if one != other:
            raise InputError(f"sets of different {what} ({one} and {other}) have nothing between them")
    share = share[:, None].to(first.means)
    features = torch.lerp(to_features(first), to_features(second), share[..., None])
    background = torch.lerp(first.background, second.background, share)
    return replace(from_features(features, first.canvas), background=background, output=first.output)
