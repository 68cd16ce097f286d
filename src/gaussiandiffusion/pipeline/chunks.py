"""How many samples a network denoises at once: always equally many, so that a sample is the same in any company."""

from __future__ import annotations

from torch import nn

CPU = 32
# Parameters up to which an accelerator takes so many: launching costs the same for one sample and for thousands.
ACCELERATOR = ((4_000_000, 2048), (64_000_000, 512))
LARGE = 128


def chunk_size(device: str, network: nn.Module) -> int:
    """Samples in a chunk, by the kind of device and the size of the network alone.

    On one kind of device a sample does not depend on how many were asked for; between kinds it differs by rounding.

    Args:
        device: "cpu", "cuda" or "mps".
    """
    if device == "cpu":
        return CPU
    parameters = sum(weight.numel() for weight in network.parameters())
    return next((chunk for most, chunk in ACCELERATOR if parameters <= most), LARGE)
