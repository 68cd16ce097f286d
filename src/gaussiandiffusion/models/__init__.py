"""Networks: the GaussianTransformer, and the pixel U-Net as a baseline."""

from gaussiandiffusion.models.network import Network
from gaussiandiffusion.models.sizes import check_size, make_network
from gaussiandiffusion.models.transformer import SIZES, GaussianTransformer, make_transformer
from gaussiandiffusion.models.unet import UNET_SIZES, PixelUNet

__all__ = [
    "SIZES",
    "UNET_SIZES",
    "GaussianTransformer",
    "Network",
    "PixelUNet",
    "check_size",
    "make_network",
    "make_transformer",
]
