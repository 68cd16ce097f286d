"""How many samples a network denoises at once: always equally many, so that a sample is the same in any company."""

from __future__ import annotations

from torch import nn

# Parameters of a network up to which so many samples are a chunk. On a processor chunks are computed side by side, one
# thread each: small ones of a large network stay in its cache, and leave work for other threads. On an accelerator
# launching costs the same for one sample and for thousands.
CPU = ((4_000_000, 32),)
ACCELERATOR = ((4_000_000, 2048), (64_000_000, 512))
LARGE = {"cpu": 8, "accelerator": 128}


def chunk_size(device: str, network: nn.Module) -> int:
    """Samples in a chunk, by the kind of device and the size of the network alone.

    On one kind of device a sample does not depend on how many were asked for; between kinds it differs by rounding.

    Args:
        device: "cpu", "cuda" or "mps".
    """
    sizes, large = (CPU, LARGE["cpu"]) if device == "cpu" else (ACCELERATOR, LARGE["accelerator"])
    parameters = sum(weight.numel() for weight in network.parameters())
    return next((chunk for most, chunk in sizes if parameters <= most), large)
