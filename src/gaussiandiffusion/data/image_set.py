"""`ImageSet`: what every image source becomes."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, replace

import numpy as np

from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, eq=False)  # eq: arrays have no single truth value; compare `sha256` instead
class ImageSet:
    """Images of one size, with conditions where the source has them.

    Args:
        images: uint8 [N, C, H, W], 0 to 255, C = 1 (grey), 3 (RGB) or 4 (RGBA).
        conditions: what each image shows, or None; of a single attribute also as `labels`.
        name: the data set's name, or the name of the file or folder.
        split: "train", "test", or None where the source has no splits.

    Raises:
        InputError: shapes or dtypes are not these.
    """

    images: np.ndarray
    conditions: ConditionColumns | None = None
    name: str = "images"
    split: str | None = None

    def __post_init__(self) -> None:
        images, conditions = self.images, self.conditions
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in CHANNELS:
            raise InputError(
                f"{self.name}: images must be uint8 [N, C, H, W] with C = 1, 3 or 4, "
                f"not {images.dtype} {list(images.shape)}"
            )
        if conditions is not None and len(conditions.values) != len(images):
            raise InputError(
                f"{self.name}: {len(conditions.values)} labels for {len(images)} images; give one for each"
            )

    @classmethod
    def labelled(
        cls, images: np.ndarray, labels: np.ndarray, name: str = "images", split: str | None = None
    ) -> ImageSet:
        """Images with a class each: integers [N], >= 0."""
        labels = np.asarray(labels)
        if labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.min(initial=0) < 0:
            raise InputError(f"{name}: labels must be integers >= 0 [N], not {labels.dtype} {list(labels.shape)}")
        return cls(images, ConditionColumns.of_labels(labels), name, split)

    @property
    def labels(self) -> np.ndarray | None:
        """int64 [N] of the only attribute; None where there is none, or several."""
        return None if self.conditions is None else self.conditions.labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice | list[int] | np.ndarray) -> ImageSet:
        """The chosen images as a set; an integer gives a set of one."""
        if not isinstance(index, slice):
            chosen = np.atleast_1d(index)
            index = chosen if chosen.size else chosen.astype(np.int64)  # [] would be float
        conditions = None if self.conditions is None else self.conditions.take(index)
        return replace(self, images=self.images[index], conditions=conditions)

    def limit(self, n: int | None) -> ImageSet:
        """The first `n` images: all of them for None, or where there are fewer.

        Raises:
            InputError: `n` is not a whole number >= 1.
        """
        return self[: check_limit(n)]

    def spread(self, n: int) -> ImageSet:
        """`n` images spread evenly over the set, in their order; all where there are no more.

        Some data sets are in an order, Sprites action by action: their first images would stand for none of the rest.
        """
        count = len(self)
        return self if n >= count else self[np.arange(n) * count // n]

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 (hexadecimal) of shape, pixels and conditions, whatever file they came from."""
        content = ContentHash(self.images.shape)
        content.update(self.images)
        return content.hexdigest(self.conditions)


class ContentHash:
    """`ImageSet.sha256` of images that come part by part.

    Args:
        shape: (N, C, H, W) of all parts together.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._digest = hashlib.sha256(f"uint8 {list(shape)}\n".encode())

    def update(self, images: np.ndarray) -> None:
        """Take in the next images, uint8 [n, C, H, W]."""
        self._digest.update(np.ascontiguousarray(images).data)

    def hexdigest(self, conditions: ConditionColumns | None) -> str:
        """The sum of all images so far and their conditions."""
        digest = self._digest.copy()
        if conditions is not None:
            digest.update(b"labels\n" + conditions.values.astype("<i8").tobytes())
        return digest.hexdigest()


def check_limit(limit: int | None) -> int | None:
    """Return `limit` if it is None or a whole number >= 1.

    Raises:
        InputError: it is anything else.
    """
    whole = isinstance(limit, int | np.integer) and not isinstance(limit, bool)
    if limit is not None and (not whole or limit < 1):
        raise InputError(f"limit {limit!r}: must be a whole number of at least 1; leave it out for all images")
    return limit
