"""`render`: splats to pictures, by whichever renderer suits the tensors at hand."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import reference
from gaussiandiffusion.rendering.cpu.compiler import kernel_available
from gaussiandiffusion.rendering.grid import to_picture
from gaussiandiffusion.splats import Splats

Backend = Literal["auto", "reference", "cpu", "compiled"]
FOOTPRINT = 3.5  # sigmas at which a splat is cut off where speed counts: an error of at most 0.0022 of its colour
FUSED_FROM = 2**29  # splat-pixel pairs: below, the reference is done before the kernel has been loaded


def accumulate(
    splats: Splats,
    size: int | tuple[int, int] | None = None,
    *,
    cutoff: float | None = None,
    backend: Backend = "auto",
) -> Float[Tensor, "n c h w"]:
    """Colour of every pixel before the output map; arguments as `render`."""
    if cutoff is not None and not cutoff > 0:
        raise InputError(f"cutoff must be > 0 sigmas or None, not {cutoff}")
    if backend == "auto":
        backend = _choose(splats, size)
    if backend == "cpu":
        if not kernel_available():
            raise InputError("the fused kernel needs numba; pip install numba, or use the reference renderer")
        from gaussiandiffusion.rendering.cpu.accumulate import accumulate as fused

        return fused(splats, size, cutoff=cutoff)
    if backend == "compiled":
        from gaussiandiffusion.rendering import compiled

        return compiled.accumulate(splats, size, cutoff=cutoff)
    return reference.accumulate(splats, size, cutoff=cutoff)


def render(
    splats: Splats,
    size: int | tuple[int, int] | None = None,
    *,
    cutoff: float | None = None,
    backend: Backend = "auto",
) -> Float[Tensor, "n c h w"]:
    """Rasterise splat sets.

    Args:
        splats: sets of K splats on one canvas.
        size: height and width in pixels, or the longer side with aspect kept; default: the canvas.
        cutoff: distance in sigmas beyond which a splat may be left out (3.5: an error of at most 0.0022 of its
            colour); None draws every splat everywhere.
        backend: "reference" (PyTorch, any device), "cpu" (fused kernel), "compiled" (the reference under
            `torch.compile`), or "auto" by device and amount of work.

    Returns:
        Images in [0, 1]; differentiable in every parameter of `splats`.

    Raises:
        InputError: a size below one pixel, a cutoff that is not > 0, or a backend that cannot draw these splats.
    """
    return to_picture(accumulate(splats, size, cutoff=cutoff, backend=backend), splats.output)


def kernel_takes(splats: Splats) -> bool:
    """Whether the fused kernel is there and can draw these splats: float32 sums on the CPU."""
    plain = splats.device.type == "cpu" and splats.means.dtype == torch.float32 and splats.blending == "sum"
    return plain and kernel_available()


def _choose(splats: Splats, size: int | tuple[int, int] | None) -> Backend:
    if splats.device.type == "cuda":
        # Compiling takes seconds: worth it in a loop, and what is differentiated is in one.
        looped = torch.is_grad_enabled() and any(value.requires_grad for value in splats.tensors().values())
        return "compiled" if looped else "reference"
    canvas = splats.canvas.resized(size)
    work = len(splats) * splats.num_splats * canvas.height * canvas.width
    return "cpu" if work >= FUSED_FROM and kernel_takes(splats) else "reference"
