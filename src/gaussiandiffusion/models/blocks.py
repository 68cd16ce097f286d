"""Transformer blocks over sets of splats: the published one (FiLM, post-norm) and the current one (adaptive norm).

Neither knows positions: permuting the splats permutes the output.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head self-attention over the splats of a set, by fused `scaled_dot_product_attention`.

    Args:
        width: D. heads: must divide D.
        qk_norm: normalise queries and keys (Henry et al., 2020), which keeps attention from saturating.
    """

    def __init__(self, width: int, heads: int, qk_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.qk_scale = nn.Parameter(torch.ones(2, width // heads)) if qk_norm else None

    def forward(self, x: Float[Tensor, "n k d"]) -> Float[Tensor, "n k d"]:
        qk, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).split((2, 1), 2)  # (n, k, 2, heads, d/heads) and 1
        if self.qk_scale is not None:
            qk = F.rms_norm(qk, qk.shape[-1:], eps=1e-6) * self.qk_scale[:, None].to(qk.dtype)
        q, k, v = (part.transpose(1, 2) for part in (*qk.unbind(2), v[:, :, 0]))  # (n, heads, k, d/heads)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class AdaptiveBlock(nn.Module):
    """Pre-norm block whose shifts, scales and gates come from time and class.

    Every block projects the condition itself (Peebles and Xie, "DiT", 2023). Gates start at `GATE` and not at zero:
    in trainings of minutes, blocks that start as the identity spend most of their time opening.

    Args:
        condition_width: of the condition, kept small since it only has to tell times and classes apart.
    """

    GATE = 0.5

    def __init__(self, width: int, heads: int, mlp_ratio: float, condition_width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = Attention(width, heads, qk_norm=True)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        hidden = round(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.modulation = nn.Linear(condition_width, 6 * width)

    def forward(self, x: Float[Tensor, "n k d"], condition: Float[Tensor, "n m"]) -> Float[Tensor, "n k d"]:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition)[:, None].chunk(6, -1)
        x = x + (self.GATE + gate1) * self.attention(torch.addcmul(shift1, self.norm1(x), 1 + scale1))
        return x + (self.GATE + gate2) * self.mlp(torch.addcmul(shift2, self.norm2(x), 1 + scale2))


class FilmBlock(nn.Module):
    """The published block: FiLM by time, self-attention, add and norm, a 2x-4x-2x-1x MLP, add and norm.

    Source: Coessens and Samal, "GaussianDiffusion", 2025, architecture section; FiLM is Perez et al., 2018.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.film = nn.Linear(width, 2 * width)
        self.attention = Attention(width, heads, qk_norm=False)
        self.norm1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.SiLU(),
            nn.Linear(2 * width, 4 * width), nn.SiLU(),
            nn.Linear(4 * width, 2 * width), nn.SiLU(),
            nn.Linear(2 * width, width),
        )  # fmt: skip
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "n k d"], condition: Float[Tensor, "n d"]) -> Float[Tensor, "n k d"]:
        scale, shift = self.film(F.silu(condition))[:, None].chunk(2, -1)
        x = x * (1 + scale) + shift
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.mlp(x))
