"""Keys that keep a training's streams of random numbers apart; see `diffusion.noise.generator_for`."""

from __future__ import annotations

from enum import IntEnum


class Stream(IntEnum):
    """Second part of a key, after the seed."""

    ORDER = 1
    """Order of the images in an epoch."""
    DRAW = 2
    """Noise, times and hidden labels of a batch."""
    AUGMENT = 3
    """Changes of an image in an epoch."""
    STATISTICS = 4
    """Images that the latents' statistics are measured on."""
    COUPLING = 5
    """Fresh noise of a hybrid coupling."""
    TEACHER = 6
    """Noise that a teacher makes pairs of."""
