"""Networks: the GaussianTransformer and the feature network's architecture."""

from gaussiandiffusion.models.transformer import SIZES, GaussianTransformer, make_transformer

__all__ = ["SIZES", "GaussianTransformer", "make_transformer"]
