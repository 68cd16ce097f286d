"""The `--device` flag."""

from __future__ import annotations

from typing import Any, Literal

from gaussiandiffusion.ground.errors import InputError

Device = Literal["auto", "cpu", "cuda", "mps"]


def resolve(device: Device) -> Any:
    """The torch device that a flag means: "auto" is CUDA, else Apple's, else the CPU.

    PyTorch counts a machine's processors, not those that a container leaves this process; here it is told.

    Raises:
        InputError: a device this machine does not have.
    """
    import torch

    from gaussiandiffusion.ground.threads import thread_count

    torch.set_num_threads(thread_count())
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available[device]:
        raise InputError(f"device '{device}' is not available on this machine; use --device auto")
    return torch.device(device)
