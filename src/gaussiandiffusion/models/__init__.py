"""Networks: the GaussianTransformer, and the pixel U-Net as a baseline. Importing it is cheap."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.models.names import SIZES, UNET_SIZES, check_size
    from gaussiandiffusion.models.network import Network
    from gaussiandiffusion.models.sizes import make_network
    from gaussiandiffusion.models.transformer import GaussianTransformer, make_transformer
    from gaussiandiffusion.models.unet import PixelUNet

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

__getattr__, __dir__ = lazily(
    __name__,
    {
        "SIZES": "names",
        "UNET_SIZES": "names",
        "GaussianTransformer": "transformer",
        "Network": "network",
        "PixelUNet": "unet",
        "check_size": "names",
        "make_network": "sizes",
        "make_transformer": "transformer",
    },
)
