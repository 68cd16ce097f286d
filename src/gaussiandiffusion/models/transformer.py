"""GaussianTransformer: a permutation-equivariant denoiser of splat sets."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.component import configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.blocks import AdaptiveBlock, FilmBlock
from gaussiandiffusion.models.embeddings import AnchorEmbedding, ConditionEmbedding, TimestepEmbedding
from gaussiandiffusion.models.names import SIZES
from gaussiandiffusion.models.network import Network, check_sizes

CONDITION_WIDTH = 64


class GaussianTransformer(Network):
    """Predict noise, velocity or flow for every splat of a noisy set.

    Args:
        num_features: F, numbers per splat in the latent.
        block: "adaptive" (adaptive norm, QK-norm) or "film" (as published).
        width, depth, num_heads, mlp_ratio: sizes; see `SIZES`. `mlp_ratio` applies to "adaptive".
        conditions: attributes and the names of their values, see `ConditionSpec`; none: unconditional.
        num_anchor_features: width of the anchors, 0: none (strictly equivariant in the splats alone).
        condition_width: of the embeddings of time and conditions, and of what they tell the blocks of "adaptive". It is
            computed for a set and not for every splat, so width is nearly free. None: embeddings as wide as the
            splats', narrowed to 64, which tells times and a few classes apart.

    Source: Coessens and Samal, "GaussianDiffusion", 2025 ("film"); Peebles and Xie, "Scalable Diffusion Models
    with Transformers", 2023 ("adaptive").
    """

    @configured
    def __init__(
        self,
        num_features: int = 6,
        block: str = "adaptive",
        width: int = 128,
        depth: int = 6,
        num_heads: int = 4,
        mlp_ratio: float = 4.0,
        conditions: dict[str, list[str]] | None = None,
        num_anchor_features: int = 0,
        condition_width: int | None = None,
    ) -> None:
        super().__init__()
        if block not in ("adaptive", "film"):
            raise InputError(f"unknown block '{block}'; choose adaptive or film")
        check_sizes(num_features=num_features, width=width, depth=depth, num_heads=num_heads)
        if condition_width is not None:
            check_sizes(condition_width=condition_width)
            if block == "film":
                raise InputError("condition_width is for block = adaptive; film takes its condition as it is")
        if width % num_heads:
            raise InputError(f"width {width} is not divisible by {num_heads} heads")
        adaptive = block == "adaptive"
        if adaptive:
            self.embed: nn.Module = nn.Linear(num_features, width)
        else:
            self.embed = nn.Sequential(
                nn.Linear(num_features, width), nn.SiLU(), nn.LayerNorm(width),
                nn.Linear(width, width), nn.SiLU(), nn.LayerNorm(width),
            )  # fmt: skip
        embedded = condition_width or width
        self.time = TimestepEmbedding(embedded)
        sizes = ConditionSpec(conditions or {}).sizes
        self.label = ConditionEmbedding(sizes, embedded) if sizes else None
        self.anchor = AnchorEmbedding(num_anchor_features, width) if num_anchor_features else None
        told = condition_width or min(width, CONDITION_WIDTH)
        self.condition = nn.Linear(embedded, told) if adaptive else None
        self.blocks = nn.ModuleList(
            AdaptiveBlock(width, num_heads, mlp_ratio, told) if adaptive else FilmBlock(width, num_heads)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6) if adaptive else nn.Identity()
        self.final = nn.Linear(told, 2 * width) if adaptive else None
        self.out = nn.Linear(width, num_features)
        self._initialise()

    def forward(
        self,
        sample: Float[Tensor, "n k f"],
        timestep: Float[Tensor, " n"],
        conditions: Int64[Tensor, "n a"] | None = None,
        anchors: Float[Tensor, "k g"] | None = None,
    ) -> Float[Tensor, "n k f"]:
        """One pass.

        Args:
            sample: noisy latents; taken in the network's own dtype, whatever theirs.
            timestep: noise level of each set in 0 ... 1000.
            conditions: values of `Conditions`; needed exactly by conditional models.
            anchors: features of each slot's anchor, columns 0 and 1 its place; needed exactly by models with them.
        """
        x = self.embed(sample.to(self.out.weight.dtype))  # (n, k, d)
        if self.anchor is not None:
            x = x + self.anchor(anchors)
        condition = self.time(timestep)  # (n, e)
        if self.label is not None:
            condition = condition + self.label(conditions)
        if self.condition is not None:
            condition = F.silu(self.condition(F.silu(condition)))  # (n, m)
        for block in self.blocks:
            x = block(x, condition)
        if self.final is None:
            return self.out(x)
        shift, scale = self.final(condition)[:, None].chunk(2, -1)
        return self.out(torch.addcmul(shift, self.norm(x), 1 + scale))

    def _initialise(self) -> None:
        """Xavier for every layer; zero for modulations and, with adaptive norm, the output: training starts calmly."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        if self.label is not None:
            nn.init.normal_(self.label.table.weight)  # as loud as time, so that classes are heard from the start
        zeroed: list[Any] = [block.film if isinstance(block, FilmBlock) else block.modulation for block in self.blocks]
        for layer in zeroed if self.final is None else [*zeroed, self.final, self.out]:
            nn.init.zeros_(layer.weight)


def make_transformer(size: str, **kwargs: Any) -> GaussianTransformer:
    """A transformer of a named size (`SIZES`); further arguments as `GaussianTransformer`.

    Raises:
        InputError: an unknown size.
    """
    if size not in SIZES:
        raise InputError(f"unknown network size '{size}'; choose one of {', '.join(SIZES)}")
    return GaussianTransformer(**(SIZES[size] | kwargs))
