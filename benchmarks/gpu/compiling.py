"""Whether torch.compile works here: it needs Triton and a compiler, which a bare machine may lack."""

from __future__ import annotations

import torch

from benchmarks.gpu.figures import sentence
from benchmarks.gpu.setting import Setting

QUICK = "left out of a quick run: compiling takes longer than all else"


def why_not(setting: Setting) -> str | None:
    """Why nothing can be compiled for the device; None: it can."""
    if setting.quick:
        return QUICK
    try:
        compiled = torch.compile(lambda x: torch.exp(x) + 1)
        compiled(torch.zeros(64, device=setting.device))
    except Exception as error:  # a missing compiler, Triton or driver, each reported by a class of its own
        return f"torch.compile does not work here ({sentence(error)})"
    return None
