"""Numbers and bytes of a picture and of its set of splats."""

from __future__ import annotations

GEOMETRY = 5  # numbers: mean x and y, sigma x and y, rho
FLOAT32 = 4  # bytes


def counts(splats: int, height: int, width: int, channels: int) -> dict[str, float]:
    """What a set and its picture take, and the ratios picture over set: above 1 where the set is smaller."""
    numbers, values = splats * (GEOMETRY + channels), height * width * channels
    return {
        "set_numbers": numbers,
        "picture_numbers": values,
        "ratio_numbers": values / numbers,
        "ratio_bytes": values / (FLOAT32 * numbers),
    }
