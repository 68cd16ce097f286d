"""PixelUNet: diffusers' `UNet2DModel` behind the interface of our networks, the baseline in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.component import configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.embeddings import ConditionEmbedding, embedding_rows
from gaussiandiffusion.models.network import Network, check_sizes

HEAD_WIDTH = 32


class PixelUNet(Network):
    """A convolutional U-Net over whole images.

    Args:
        size: height and width of the images in pixels; both are halved at every level but the last.
        channels: C.
        widths: channels of each level, finest first.
        layers: residual blocks a level on the way down; one more on the way up.
        attention: levels with self-attention, 0 the finest.
        norm_groups: of group normalisation; must divide every width.
        conditions: attributes and the names of their values, see `ConditionSpec`; none: unconditional.

    Raises:
        InputError: a size that cannot be halved so often.

    Source: Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020, appendix B, as in diffusers.
    """

    @configured
    def __init__(
        self,
        size: Sequence[int] = (28, 28),
        channels: int = 1,
        widths: Sequence[int] = (16, 32, 64),
        layers: int = 1,
        attention: Sequence[int] = (2,),
        norm_groups: int = 8,
        conditions: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__()
        levels = len(widths)
        if len(size) != 2:
            raise InputError(f"size is a height and a width, not {list(size)}")
        check_sizes(levels=levels, channels=channels, layers=layers, norm_groups=norm_groups)
        check_sizes(**{f"widths[{i}]": width for i, width in enumerate(widths)}, height=size[0], width=size[1])
        if any(width % norm_groups for width in widths):
            raise InputError(f"norm_groups = {norm_groups} does not divide the widths {list(widths)}")
        if any(side % 2 ** (levels - 1) for side in size):
            raise InputError(
                f"a U-Net of {levels} levels halves its images {levels - 1} times, which {size[0]}x{size[1]} pixels "
                "do not allow; use images of another size, or patches"
            )
        sizes = ConditionSpec(conditions or {}).sizes
        attends = [level in attention for level in range(levels)]
        if min([widths[-1], *(width for width, attend in zip(widths, attends, strict=True) if attend)]) < HEAD_WIDTH:
            raise InputError(
                f"levels with attention, and the last one, must be at least {HEAD_WIDTH} wide: {list(widths)}"
            )
        from diffusers import UNet2DModel  # slow to import, and no other network needs it

        self.unet = UNet2DModel(
            sample_size=tuple(size),
            in_channels=channels,
            out_channels=channels,
            layers_per_block=layers,
            block_out_channels=tuple(widths),
            down_block_types=tuple("AttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
            up_block_types=tuple("AttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)),
            norm_num_groups=norm_groups,
            attention_head_dim=HEAD_WIDTH,
            num_class_embeds=embedding_rows(sizes) if sizes else None,
        )
        table = self.unet.class_embedding
        if table is not None:
            self.unet.class_embedding = ConditionEmbedding(sizes, table.embedding_dim, table)

    def forward(
        self,
        sample: Float[Tensor, "n c h w"],
        timestep: Float[Tensor, " n"],
        conditions: Int64[Tensor, "n a"] | None = None,
        anchors: None = None,
    ) -> Float[Tensor, "n c h w"]:
        """One pass; see `GaussianTransformer.forward`. Pixels have no anchors."""
        sample = sample.to(self.unet.dtype)
        fast = sample.contiguous(memory_format=torch.channels_last)  # convolutions on CPUs want channels last
        return self.unet(fast, timestep, class_labels=conditions).sample
