"""Where a result comes from: checksums of weights, the machine and the versions it was made with."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

LIBRARIES = ("gaussiandiffusion", "numpy", "torch", "torchmetrics")


def weights_sha256(*parts: Mapping[str, Tensor], settings: Mapping[str, Any] | None = None) -> str:
    """SHA-256 of named tensors in float32, each part's sorted by name, after settings if there are any.

    Args:
        parts: such as the state dictionaries of a model's components.
        settings: JSON values; names that begin with `_` are left out.
    """
    digest = hashlib.sha256()
    if settings is not None:
        public = {name: value for name, value in settings.items() if not name.startswith("_")}
        digest.update(json.dumps(public, sort_keys=True).encode())
    for part in parts:
        for name, value in sorted(part.items()):
            digest.update(name.encode())
            digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_words() -> dict[str, Any]:
    """What a number's reader needs of the machine: processor kind, vectors, cores used and threads; never its name."""
    return {
        "processor": platform.machine(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "cpus": cores(),
        "threads": torch.get_num_threads(),
    }


def library_versions(names: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """Versions of Python and of the libraries a result depends on; those not installed are left out."""
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    for name in names:
        if name not in versions:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
    return versions


def peak_memory() -> int | None:
    """The most bytes this process ever held (resident), where the system tells."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as status:  # Linux
        # Not by getrusage: a child's begins at its parent's peak.
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
