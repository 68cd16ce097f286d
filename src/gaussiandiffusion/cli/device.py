"""The `--device` flag."""

from __future__ import annotations

from typing import Any, Literal

from gaussiandiffusion.ground.errors import InputError

Device = Literal["auto", "cpu", "cuda", "mps"]


def resolve(device: Device) -> Any:
    """The torch device that a flag means: "auto" is CUDA, else Apple's, else the CPU.

    Raises:
        InputError: a device this machine does not have.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available[device]:
        raise InputError(f"device '{device}' is not available on this machine; use --device auto")
    return torch.device(device)
