"""numba where there is one, compiled functions kept from run to run; without it, the references do all the work."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Not all of fast-math: no infinities or NaN are expected, but sums keep their order.
FAST: dict[str, Any] = {
    "fastmath": {"contract", "nsz", "nnan", "ninf", "arcp"},
    "error_model": "numpy",
    "nogil": True,
}


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function on its first call, or load what an earlier run has compiled.

    Compiled functions are kept in the first of numba's folders that can be written: NUMBA_CACHE_DIR, the package's own
    `__pycache__`, the user's cache. Where none can, one warning says so, and every run compiles anew.
    """
    from numba import njit

    dispatcher = njit(**FAST)(function)
    try:
        dispatcher._cache = _cache_type()(function)
    except (RuntimeError, OSError) as error:  # numba has no folder to offer, or cannot look into one
        _warn_not_kept(error)
    _announce_compilation()
    return dispatcher


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jit`, with numba imported on the first call only; the function as it is, slow, where numba is missing."""

    @functools.cache
    def built() -> Callable[..., Any]:
        return jit(function) if kernel_available() else function

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


@functools.cache
def _cache_type() -> Any:
    """numba's cache, but a folder that fails is no error, and a function is new when any source that goes into it is.

    By itself numba compares the function's own file only; what that imports from its folder and from the kernel's is
    compiled into the function too.
    """
    from numba.core.caching import CompileResultCacheImpl, FunctionCache

    class Files(CompileResultCacheImpl):
        def __init__(self, function: Any) -> None:
            super().__init__(function)
            folders = Path(__file__).parent, Path(function.__code__.co_filename).parent
            stamp = self.locator.get_source_stamp(), *map(_sources, folders)
            self.locator.get_source_stamp = lambda: stamp

    class Cache(FunctionCache):
        _impl_class = Files

        @contextlib.contextmanager
        def _guard_against_spurious_io_errors(self) -> Iterator[None]:
            try:
                yield
            except OSError as error:
                _warn_not_kept(error)

    return Cache


@functools.cache
def _sources(folder: Path) -> str:
    """Checksum of a folder's modules."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_said: set[str] = set()


def _warn_not_kept(error: Exception) -> None:
    if "not kept" not in _said:
        _said.add("not kept")
        warnings.warn(
            f"compiled functions cannot be kept, so every run will compile them anew, for some seconds ({error}); "
            "set NUMBA_CACHE_DIR to a folder that can be written",
            stacklevel=2,
        )


@functools.cache
def _announce_compilation() -> None:
    """From now on, say so when one of the package's functions is compiled: some seconds without a sign of life."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            if (
                event.data["dispatcher"].py_func.__module__.startswith("gaussiandiffusion.")
                and "compiling" not in _said
            ):
                _said.add("compiling")
                from tqdm import tqdm

                tqdm.write("compiling the kernel, once after installing: some seconds", file=sys.stderr)

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", Listener())
