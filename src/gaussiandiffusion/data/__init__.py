"""Image sources."""

from gaussiandiffusion.data.datasets import DATASETS, DatasetSpec
from gaussiandiffusion.data.images import ImageSet
from gaussiandiffusion.data.sources import load_images

__all__ = ["DATASETS", "DatasetSpec", "ImageSet", "load_images"]
