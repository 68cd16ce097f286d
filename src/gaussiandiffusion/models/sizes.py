"""Networks by the name of their size, made for the latents they are to see."""

from __future__ import annotations

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models.names import SIZES, UNET_SIZES, check_size
from gaussiandiffusion.models.network import Network
from gaussiandiffusion.models.transformer import make_transformer
from gaussiandiffusion.models.unet import PixelUNet


def make_network(
    size: str, latent_shape: tuple[int, ...], *, conditions: ConditionSpec | None = None, num_anchor_features: int = 0
) -> Network:
    """A new network of a named size.

    Args:
        size: of `SIZES` for latents (K, F), of `UNET_SIZES` for (C, H, W).
        latent_shape: of one sample.
        conditions: what can be asked of it; default: nothing.
        num_anchor_features: width of the anchors, 0: none.

    Raises:
        InputError: an unknown size, or one for another kind of latent.
    """
    check_size(size)
    named = conditions.to_dict() if conditions else None
    if size in SIZES:
        if len(latent_shape) != 2:
            raise InputError(f"network '{size}' denoises sets of tokens, not whole images; set patch, or take a U-Net")
        return make_transformer(
            size,
            num_features=latent_shape[1],
            conditions=named,
            num_anchor_features=num_anchor_features,
        )
    if len(latent_shape) != 3:
        raise InputError(f"network '{size}' denoises whole images; set representation = pixels and patch = 0")
    channels, height, width = latent_shape
    return PixelUNet(size=(height, width), channels=channels, conditions=named, **UNET_SIZES[size])
