"""Image sources: data sets by name, and the user's own files, as `ImageSource` or, all read, `ImageSet`."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.data.datasets import DATASETS, DatasetSpec, PublishedFile
    from gaussiandiffusion.data.framing import Framing
    from gaussiandiffusion.data.image_set import ContentHash, ImageSet
    from gaussiandiffusion.data.sources import load_dataset, load_images, open_dataset, open_images
    from gaussiandiffusion.data.stream import ImageSource, read_ahead

__all__ = [
    "DATASETS",
    "ContentHash",
    "DatasetSpec",
    "Framing",
    "ImageSet",
    "ImageSource",
    "PublishedFile",
    "load_dataset",
    "load_images",
    "open_dataset",
    "open_images",
    "read_ahead",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "ContentHash": "image_set",
        "DATASETS": "datasets",
        "DatasetSpec": "datasets",
        "Framing": "framing",
        "ImageSet": "image_set",
        "ImageSource": "stream",
        "PublishedFile": "datasets",
        "load_dataset": "sources",
        "load_images": "sources",
        "open_dataset": "sources",
        "open_images": "sources",
        "read_ahead": "stream",
    },
)
