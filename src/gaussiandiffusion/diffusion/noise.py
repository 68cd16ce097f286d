"""Random numbers by address: the draw for (seed, index, ...) is the same however the work is cut up."""

from __future__ import annotations

import numpy as np
import torch


def seed_for(*key: int) -> int:
    """A seed below 2^64 that depends only on `key`, and is none that a user would choose."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


def generator_for(*key: int) -> torch.Generator:
    """A CPU generator whose state depends only on `key`, non-negative integers such as (seed, sample)."""
    return torch.Generator().manual_seed(seed_for(*key))
