"""Networks: the GaussianTransformer and the feature network's architecture."""

from gaussiandiffusion.models.denoisers import make_denoiser
from gaussiandiffusion.models.transformer import SIZES, GaussianTransformer, make_transformer
from gaussiandiffusion.models.unet import UNET_SIZES, PixelUNet

__all__ = ["SIZES", "UNET_SIZES", "GaussianTransformer", "PixelUNet", "make_denoiser", "make_transformer"]
