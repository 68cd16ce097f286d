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


class AsArrays:
    """What `Splats` has of NumPy."""

    def to_numpy(self: Splats) -> dict[str, ndarray]:  # type: ignore[misc]  # of no other class
        """The parameters as arrays by name, copied, in their own precision (bfloat16, which NumPy has not, as float32).

        `from_numpy` makes sets of them again.
        """
        plain = {name: value.detach().cpu() for name, value in self.tensors().items()}
        floats = {name: value.float() if value.dtype == torch.bfloat16 else value for name, value in plain.items()}
        return {name: value.numpy().copy() for name, value in floats.items()}

    @classmethod
    def from_numpy(  # type: ignore[misc]  # of a mixin, whose `cls` is the class that it is mixed into
        cls: type[Splats],
        values: Mapping[str, Any],
        canvas: Canvas | tuple[int, int] | tuple[int, int, int],
        *,
        blending: Blending = "sum",
        output: Output | None = None,
    ) -> Splats:
        """Sets from arrays by name, as `to_numpy` gives them; float64 stays, other numbers become float32.

        Args:
            values: means [N, K, 2], sigmas [N, K, 2], rhos [N, K], colors [N, K, C]; optionally opacities [N, K] and
                background [N, C].
            canvas: or its (height, width) or (height, width, channels).
            blending, output: see `Splats`.

        Raises:
            InputError: arrays that are missing, unknown, of shapes that do not belong together, or out of range.
        """
        if unknown := sorted(set(values) - set(KNOWN)):
            raise InputError(f"sets have no {', '.join(unknown)}; their arrays are {', '.join(KNOWN)}")
        if missing := [name for name in REQUIRED if name not in values]:
            raise InputError(f"the arrays lack {', '.join(missing)}")
        tensors = {name: _tensor(name, value) for name, value in values.items()}
        if not isinstance(canvas, Canvas):
            height, width, *channels = canvas
            canvas = Canvas(height, width, *(channels or tensors["colors"].shape[-1:]))
        options: dict[str, Any] = {**tensors, "canvas": canvas, "blending": blending, "output": output}
        return cls(**options).validate("the arrays")


def _tensor(name: str, value: Any) -> Tensor:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be an array of numbers, not {array.dtype}")
    return torch.from_numpy(array.astype(np.float64 if array.dtype == np.float64 else np.float32))
