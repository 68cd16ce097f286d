"""numba where there is one; without it, the references do all the work."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

try:
    from numba import njit
except ImportError:  # such as a Python that numba does not know yet
    njit = None

FAST: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True, "cache": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call; leave it as it is, slow, where numba is missing."""
    return function if njit is None else njit(**FAST)(function)


def kernel_available() -> bool:
    """Whether the fused kernel can be used; where numba is missing, says so in one warning."""
    if njit is None:
        _warn()
    return njit is not None


@functools.cache
def _warn() -> None:
    warnings.warn(
        "numba is not installed: drawing and encoding go through the PyTorch reference, hundreds of times slower; "
        "pip install numba",
        stacklevel=4,
    )
