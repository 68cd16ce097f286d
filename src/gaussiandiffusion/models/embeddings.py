"""Embeddings of time, conditions and anchor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn


def sinusoidal(positions: Float[Tensor, "*n"], dim: int, max_period: float = 10_000) -> Float[Tensor, "*n {dim}"]:
    """Cosines and sines at `dim / 2` geometric frequencies (Vaswani et al., 2017, section 3.5).

    Args:
        positions: timesteps in 0 ... 1000.
    """
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) / half * torch.arange(half, device=positions.device))
    angles = positions[..., None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], -1)


class TimestepEmbedding(nn.Module):
    """Timesteps (0 ... 1000) to vectors: sinusoids, then two SiLU layers."""

    def __init__(self, width: int, frequencies: int = 256) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.layers = nn.Sequential(nn.Linear(frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, timesteps: Float[Tensor, " n"]) -> Float[Tensor, "n d"]:
        return _through(self.layers, sinusoidal(timesteps, self.frequencies))


class ConditionEmbedding(nn.Module):
    """The sum of one vector for each attribute's value; each attribute has one vector more, the last, for "open".

    Args:
        sizes: values of each attribute.
        table: its vectors, one attribute's after another's; made here unless given.
    """

    def __init__(self, sizes: Sequence[int], width: int, table: nn.Embedding | None = None) -> None:
        super().__init__()
        self.starts = [sum(sizes[:i]) + i for i in range(len(sizes))]
        self.table = nn.Embedding(embedding_rows(sizes), width) if table is None else table

    def forward(self, conditions: Int64[Tensor, "n a"]) -> Float[Tensor, "n d"]:
        first, *others = (self.table(conditions[:, i] + start) for i, start in enumerate(self.starts))
        return sum(others, first)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *args: Any) -> None:
        """Weights of a U-Net saved by an earlier version lie one level higher."""
        if f"{prefix}weight" in state:
            state[f"{prefix}table.weight"] = state.pop(f"{prefix}weight")
        super()._load_from_state_dict(state, prefix, *args)


def embedding_rows(sizes: Sequence[int]) -> int:
    """Vectors that attributes of so many values need."""
    return sum(size + 1 for size in sizes)


class AnchorEmbedding(nn.Module):
    """What a slot is, from the splat that stands for it: its standardised features, and sinusoids of its place.

    Anchors are inputs like any other: permuting (anchor, splat) pairs together permutes the output.
    """

    def __init__(self, num_features: int, width: int, octaves: int = 5) -> None:
        super().__init__()
        self.octaves = octaves
        self.layers = nn.Sequential(nn.Linear(num_features + 4 * octaves, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, anchors: Float[Tensor, "k a"]) -> Float[Tensor, "k d"]:
        frequencies = torch.pi / 4 * 2.0 ** torch.arange(self.octaves, device=anchors.device)
        angles = (anchors[:, :2, None] * frequencies).flatten(1)  # (k, 2 * octaves); columns 0, 1 are x, y
        return _through(self.layers, torch.cat([anchors, angles.cos(), angles.sin()], -1))


def _through(layers: nn.Sequential, features: Tensor) -> Tensor:
    """Layers over features computed in float32, in the layers' own dtype."""
    first = layers[0]
    assert isinstance(first, nn.Linear)
    return layers(features.to(first.weight.dtype))
