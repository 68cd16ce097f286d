"""The sets of images of an evaluation: which parts are taken, and what may not be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.measures.comparable import check_count
from gaussiandiffusion.ground.errors import InputError

Images = UInt8[np.ndarray, "_ c h w"]


def two_sides(generated: ImageSet, real: ImageSet, num: int | None, dimension: int) -> tuple[ImageSet, ImageSet]:
    """The first `num` generated images and as many real ones from all over, if `dimension` features can compare them.

    Args:
        num: None for all, and then both sides must have equally many.

    Raises:
        InputError: unequal counts, too few images, unequal sizes or channels, or the same images on both sides.
    """
    if num is None:
        if len(generated) != len(real):
            raise InputError(
                f"{len(generated)} generated images against {len(real)} real ones: a Fréchet distance is "
                "biased by the count; name a number that both sides have"
            )
        num = len(real)
    for side, images in (("generated", generated), ("real", real)):
        if len(images) < num:
            raise InputError(f"{num} images were asked for, the {side} side ({images.name}) has {len(images)}")
    check_count(num, dimension)
    used, reference = generated.limit(num), real.spread(num)
    _check_alike(used, "generated images", reference)
    if _are_among(used.images, real.images):
        raise InputError(
            f"generated and real are the same images ({generated.name}, {real.name}): their distance says nothing; "
            "give generated ones"
        )
    return used, reference


def train_images(source: ImageSet | None, reference: ImageSet) -> ImageSet | None:
    """As many train images as there are reference images, spread over all, for the floor F.

    Raises:
        InputError: too few, of another size or channels, or the reference images themselves.
    """
    if source is None:
        return None
    if len(source) < len(reference):
        raise InputError(f"the floor F needs {len(reference)} train images, {source.name} has {len(source)}")
    train = source.spread(len(reference))
    _check_alike(train, "train images", reference)
    if _are_among(reference.images, source.images):
        raise InputError(f"train and real are the same images ({source.name}, {reference.name}): take another split")
    return train


def rendered_images(source: Images | Callable[[Images], Images] | None, reference: ImageSet) -> ImageSet | None:
    """The reference images encoded and rendered, given or made, for the floor R.

    Raises:
        InputError: not as many images of the same size and channels.
    """
    if source is None:
        return None
    images = source(reference.images) if callable(source) else source
    if images.shape != reference.images.shape:
        raise InputError(
            f"the floor R needs the {len(reference)} real images rendered, of shape {list(reference.images.shape)}; "
            f"these have {list(images.shape)}"
        )
    return ImageSet(images, name=f"{reference.name}, encoded and rendered", split=reference.split)


def _check_alike(images: ImageSet, words: str, reference: ImageSet) -> None:
    if images.images.shape[1:] != reference.images.shape[1:]:
        raise InputError(
            f"the {words} ({images.name}) are {_kind(images)}, the real ones ({reference.name}) are "
            f"{_kind(reference)}: both sides must be of one size and number of channels"
        )


def _kind(images: ImageSet) -> str:
    _, channels, height, width = images.images.shape
    return f"{width}x{height} pixels of {channels} channel{'s' if channels > 1 else ''}"


def _are_among(images: Images, others: Images) -> bool:
    """Whether all of some images, pixel by pixel, are among others, in any order."""
    return _sums(images) <= _sums(others)


def _sums(images: Images) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images}
