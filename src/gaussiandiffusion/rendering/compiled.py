"""The reference under `torch.compile`: its many passes over memory fused into few, on any device compile serves.

Meant for CUDA tensors. It was written where there was no GPU: what is tested is the same graph compiled for the CPU,
and no figure for a GPU is claimed.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.rendering import reference
from gaussiandiffusion.splats import Splats


def accumulate(
    splats: Splats,
    size: int | tuple[int, int] | None = None,
    *,
    cutoff: float | None = None,
    compiler: str = "inductor",
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map, with the values and gradients of `reference.accumulate`.

    The first call compiles, for seconds; so does the first with another number of channels, blending or dtype, with
    or without a cut-off or gradients. Other numbers of images, splats and pixels do not, nor does the value of the
    cut-off. Where PyTorch cannot compile, one warning says so and the reference draws.

    Args:
        splats, size, cutoff: see `reference.accumulate`.
        compiler: `torch.compile`'s backend; others than "inductor" check the graph without a C++ compiler or Triton.
    """
    works = _works(splats.device.type, compiler)
    return reference.accumulate(splats, size, cutoff=cutoff, draw=_blend(compiler) if works else reference.blend)


@cache
def _blend(compiler: str) -> Any:
    return torch.compile(reference.blend, backend=compiler, dynamic=True)


@cache
def _works(device: str, compiler: str) -> bool:
    """Whether anything at all can be compiled for `device`; if not, says so, once."""
    try:
        torch.compile(torch.exp, backend=compiler)(torch.zeros(2, device=device))
    except Exception as error:  # a missing compiler, Triton or driver, each reported by a class of its own
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"torch.compile does not work here for {device} tensors ({reason}); the slower reference draws instead",
            stacklevel=3,
        )
        return False
    return True
