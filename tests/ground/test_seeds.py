"""Random numbers by address."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.seeds import Stream, _seeds, generator_for, noise_for, seed_for


def test_generators_depend_on_the_whole_key():
    first = torch.randn(4, generator=generator_for(0, 1))
    assert torch.equal(first, torch.randn(4, generator=generator_for(0, 1)))
    for key in [(0, 2), (1, 1), (0,), (0, 1, 0, 1)]:
        assert not torch.equal(first, torch.randn(4, generator=generator_for(*key)))


def test_streams_of_one_seed_are_apart():
    assert len({seed_for(0, stream, 1, 2) for stream in Stream}) == len(Stream)


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**63 - 1, 2**100 + 5, 2**200])
@pytest.mark.parametrize("first", [0, 31, 2**32 - 5, 2**32 - 2, 2**40])
def test_seeds_made_all_at_once_are_those_made_one_by_one(seed, first):
    found = _seeds(seed, first, 4)
    assert found.dtype == np.uint64
    assert found.tolist() == [seed_for(seed, first + i) for i in range(4)]


@pytest.mark.parametrize("shape", [(24, 6), (3,), (1, 5, 5)])
def test_noise_made_in_one_go_is_each_samples_own(shape):
    noise = noise_for(5, 30, 8, shape)
    one_by_one = [torch.randn(shape, generator=generator_for(5, i)) for i in range(30, 38)]
    assert torch.equal(noise, torch.stack(one_by_one))
    assert torch.equal(noise_for(5, 33, 2, shape), noise[3:5])
