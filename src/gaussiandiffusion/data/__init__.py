"""Image sources: data sets by name, and the user's own files, as `ImageSet`."""

from gaussiandiffusion.data.datasets import DATASETS, DatasetSpec, IdxFile
from gaussiandiffusion.data.images import ImageSet
from gaussiandiffusion.data.sources import load_dataset, load_images

__all__ = ["DATASETS", "DatasetSpec", "IdxFile", "ImageSet", "load_dataset", "load_images"]
