"""numba where there is one; without it, the references do all the work."""

from __future__ import annotations

import functools
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

FAST: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True, "cache": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call; leave it as it is, slow, where numba is missing."""

    @functools.cache
    def built() -> Callable[..., Any]:
        if not kernel_available():
            return function
        from numba import njit

        return njit(**FAST)(function)

    return functools.wraps(function)(lambda *args: built()(*args))


@functools.cache
def kernel_available() -> bool:
    """Whether the fused kernel can be used; where numba is missing, says so in one warning."""
    found = importlib.util.find_spec("numba") is not None
    if not found:
        warnings.warn(
            "numba is not installed: drawing and encoding go through the PyTorch reference, hundreds of times slower; "
            "pip install numba",
            stacklevel=2,
        )
    return found


def vector_lanes() -> int:
    """Floats in one vector: 16 where numba compiles for AVX-512, otherwise 8, as with AVX2."""
    from numba.core import codegen, config

    features = codegen.get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    return 16 if "+avx512f" in features.split(",") else 8
