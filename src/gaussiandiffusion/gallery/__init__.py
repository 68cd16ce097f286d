"""Galleries: folders of samples, written by `sample`, read by `evaluate` and `render`."""

from gaussiandiffusion.gallery.folder import (
    Gallery,
    SampleRecord,
    is_gallery,
    picture_folder,
    picture_name,
    read_gallery,
)
from gaussiandiffusion.gallery.writer import GalleryWriter

__all__ = [
    "Gallery",
    "GalleryWriter",
    "SampleRecord",
    "is_gallery",
    "picture_folder",
    "picture_name",
    "read_gallery",
]
