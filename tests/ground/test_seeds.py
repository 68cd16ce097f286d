"""Random numbers by address."""

import torch

from gaussiandiffusion.ground.seeds import Stream, generator_for, seed_for


def test_generators_depend_on_the_whole_key():
    first = torch.randn(4, generator=generator_for(0, 1))
    assert torch.equal(first, torch.randn(4, generator=generator_for(0, 1)))
    for key in [(0, 2), (1, 1), (0,), (0, 1, 0, 1)]:
        assert not torch.equal(first, torch.randn(4, generator=generator_for(*key)))


def test_streams_of_one_seed_are_apart():
    assert len({seed_for(0, stream, 1, 2) for stream in Stream}) == len(Stream)
