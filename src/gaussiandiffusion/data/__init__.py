"""Image sources: data sets by name, and the user's own files, as `ImageSource` or, all read, `ImageSet`."""

from gaussiandiffusion.data.datasets import DATASETS, DatasetSpec, PublishedFile
from gaussiandiffusion.data.image_set import ContentHash, ImageSet
from gaussiandiffusion.data.sources import load_dataset, load_images, open_dataset, open_images
from gaussiandiffusion.data.stream import ImageSource, read_ahead

__all__ = [
    "DATASETS",
    "ContentHash",
    "DatasetSpec",
    "ImageSet",
    "ImageSource",
    "PublishedFile",
    "load_dataset",
    "load_images",
    "open_dataset",
    "open_images",
    "read_ahead",
]
