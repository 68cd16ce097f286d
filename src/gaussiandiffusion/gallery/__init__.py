"""Galleries: folders of samples, written by `sample`, read by `evaluate` and `render`; and sheets of characters."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.gallery.animation import Animation, animations
    from gaussiandiffusion.gallery.character import Character, make_character
    from gaussiandiffusion.gallery.folder import (
        Gallery,
        SampleRecord,
        is_gallery,
        is_part,
        picture_folder,
        picture_name,
        read_gallery,
    )
    from gaussiandiffusion.gallery.sheet import write_sheet
    from gaussiandiffusion.gallery.writer import GalleryWriter

__all__ = [
    "Animation",
    "Character",
    "Gallery",
    "GalleryWriter",
    "SampleRecord",
    "animations",
    "is_gallery",
    "is_part",
    "make_character",
    "picture_folder",
    "picture_name",
    "read_gallery",
    "write_sheet",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Animation": "animation",
        "Character": "character",
        "Gallery": "folder",
        "GalleryWriter": "writer",
        "SampleRecord": "folder",
        "animations": "animation",
        "is_gallery": "folder",
        "is_part": "folder",
        "make_character": "character",
        "picture_folder": "folder",
        "picture_name": "folder",
        "read_gallery": "folder",
        "write_sheet": "sheet",
    },
)
