"""Random numbers by address: the draw for (seed, index, ...) is the same however the work is cut up."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """Second part of a key, after the seed: keeps streams of random numbers apart.

    Samples have none: the noise of sample i is drawn from (seed, i).
    """

    ORDER = 1
    """Order of the training images in an epoch."""
    DRAW = 2
    """Noise, times and hidden conditions of a training batch."""
    AUGMENT = 3
    """Changes of a training image in an epoch."""
    STATISTICS = 4
    """Images that the latents' statistics are measured on."""
    COUPLING = 5
    """Fresh noise of a hybrid coupling."""
    TEACHER = 6
    """Noise that a teacher makes pairs of."""
    CONDITIONS = 7
    """Attributes of a sample that nobody asked for."""


def seed_for(*key: int) -> int:
    """A seed below 2^64 that depends only on `key`, and is none that a user would choose."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


def generator_for(*key: int) -> torch.Generator:
    """A CPU generator whose state depends only on `key`, non-negative integers such as (seed, sample)."""
    return torch.Generator().manual_seed(seed_for(*key))
