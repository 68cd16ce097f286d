"""Random numbers by address: the draw for (seed, index, ...) is the same however the work is cut up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor


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
    EDIT = 8
    """Noise of what an edit keeps of a sample."""


def seed_for(*key: int) -> int:
    """A seed below 2^64 that depends only on `key`, and is none that a user would choose."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


def generator_for(*key: int) -> torch.Generator:
    """A CPU generator whose state depends only on `key`, non-negative integers such as (seed, sample)."""
    return torch.Generator().manual_seed(seed_for(*key))


def noise_for(seed: int, first: int, count: int, shape: Sequence[int]) -> Float[Tensor, "n ..."]:
    """Standard normal noise of samples `first` ... `first + count - 1`, each drawn from (seed, sample) alone.

    What `generator_for(seed, sample)` gives first, without a generator for each.
    """
    noise, generator = torch.empty(count, *shape), torch.Generator()
    for own, row in zip(_seeds(seed, first, count).tolist(), noise, strict=True):
        row.normal_(generator=generator.manual_seed(own))
    return noise


def noise_of(seed: int, numbers: Sequence[int], shape: Sequence[int]) -> Float[Tensor, "n ..."]:
    """The same of samples of any numbers; equal numbers have equal noise."""
    each = {number: noise_for(seed, number, 1, shape) for number in set(numbers)}
    return torch.cat([each[number] for number in numbers])


_A, _B = (0x43B0D7E5, 0x931E8875), (0x8B51F9DD, 0x58F38DED)  # start and factor of either hash
_LEFT, _RIGHT, _SHIFT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715), np.uint32(16)
_POOL = 4  # words of NumPy's pool


def _seeds(seed: int, first: int, count: int) -> ndarray:
    """`seed_for(seed, i)` of `count` numbers i from `first` on, uint64, all at once.

    Source: O'Neill, "Developing a seed_seq Alternative", 2015, as in NumPy's SeedSequence.
    """
    if first + count > 2**32:
        return np.array([seed_for(seed, i) for i in range(first, first + count)], np.uint64)
    words = [np.uint32(seed >> shift & 0xFFFFFFFF) for shift in range(0, max(1, seed.bit_length()), 32)]
    entropy = [*(np.full(count, word) for word in words), np.arange(first, first + count, dtype=np.uint32)]
    entropy += [np.zeros(count, np.uint32)] * (_POOL - len(entropy))
    multipliers = _powers(*_A)

    def hashed(value: ndarray) -> ndarray:
        value = (value ^ next(multipliers)) * next(multipliers)
        return value ^ value >> _SHIFT

    def mixed(x: ndarray, y: ndarray) -> ndarray:
        value: ndarray = _LEFT * x - _RIGHT * y
        return value ^ value >> _SHIFT

    pool = [hashed(word) for word in entropy[:_POOL]]
    for source in range(_POOL):
        for i in range(_POOL):
            if i != source:
                pool[i] = mixed(pool[i], hashed(pool[source]))
    for word in entropy[_POOL:]:
        for i in range(_POOL):
            pool[i] = mixed(pool[i], hashed(word))
    multipliers = _powers(*_B)
    low, high = (hashed(pool[i]).astype(np.uint64) for i in range(2))
    return low | high << np.uint64(32)


def _powers(start: int, factor: int) -> Iterator[np.uint32]:
    """start, start factor, start factor, start factor^2, ...: what a hash takes of its two constants, in turn."""
    while True:
        yield np.uint32(start)
        start = start * factor & 0xFFFFFFFF
        yield np.uint32(start)
