"""Sets as NumPy arrays, and arrays as sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats.canvas import Canvas

if TYPE_CHECKING:
    from gaussiandiffusion.splats.splats import Blending, Output, Splats

REQUIRED = ("means", "sigmas", "rhos", "colors")
KNOWN = (*REQUIRED, "opacities", "background")


def to_numpy(tensors: Mapping[str, Tensor]) -> dict[str, ndarray]:
    """Copies on the CPU, in their own precision (bfloat16, which NumPy has not, as float32)."""
    plain = {name: value.detach().cpu() for name, value in tensors.items()}
    return {
        name: (value.float() if value.dtype == torch.bfloat16 else value).numpy().copy()
        for name, value in plain.items()
    }


def from_numpy(
    kind: type[Splats],
    arrays: Mapping[str, Any],
    canvas: Canvas | tuple[int, int] | tuple[int, int, int],
    blending: Blending,
    output: Output | None,
) -> Splats:
    """See `Splats.from_numpy`."""
    if unknown := sorted(set(arrays) - set(KNOWN)):
        raise InputError(f"sets have no {', '.join(unknown)}; their arrays are {', '.join(KNOWN)}")
    if missing := [name for name in REQUIRED if name not in arrays]:
        raise InputError(f"the arrays lack {', '.join(missing)}")
    tensors = {name: _tensor(name, value) for name, value in arrays.items()}
    if not isinstance(canvas, Canvas):
        height, width, *channels = canvas
        canvas = Canvas(height, width, *(channels or tensors["colors"].shape[-1:]))
    options: dict[str, Any] = {**tensors, "canvas": canvas, "blending": blending, "output": output}
    return kind(**options).validate("the arrays")


def _tensor(name: str, value: Any) -> Tensor:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be an array of numbers, not {array.dtype}")
    return torch.from_numpy(array.astype(np.float64 if array.dtype == np.float64 else np.float32))
