"""`ImageSource`: images of one size, read a part at a time, so that a data set of any size can be gone through."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from gaussiandiffusion.data.image_set import ImageSet, check_limit
from gaussiandiffusion.ground.attributes import ConditionColumns


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images that lie somewhere and are read when asked for; only their number, size and conditions are known at once.

    Args:
        count: N.
        canvas: (H, W, C).
        fetch: positions, int64 [n], ascending -> their pixels, uint8 [n, C, H, W]. May be called from any thread, by
            one at a time; raises InputError where files are damaged, differ in size or have vanished.
        conditions, name, split: as in `ImageSet`.
    """

    count: int
    canvas: tuple[int, int, int]
    fetch: Callable[[np.ndarray], np.ndarray]
    conditions: ConditionColumns | None = None
    name: str = "images"
    split: str | None = None

    @classmethod
    def of(cls, images: ImageSet) -> ImageSource:
        """Images that are already in memory, as a source."""
        _, channels, height, width = images.images.shape
        return cls(
            len(images),
            (height, width, channels),
            lambda positions: rows(images.images, positions),
            images.conditions,
            images.name,
            images.split,
        )

    def __len__(self) -> int:
        return self.count

    @property
    def labels(self) -> np.ndarray | None:
        """int64 [N] of the only attribute; None where there is none, or several."""
        return None if self.conditions is None else self.conditions.labels

    def take(self, positions: np.ndarray) -> ImageSet:
        """The images at some positions, int64 [n], ascending."""
        return ImageSet(self.fetch(positions), self._conditions(positions), self.name, self.split)

    def _conditions(self, positions: np.ndarray | slice) -> ConditionColumns | None:
        return None if self.conditions is None else self.conditions.take(positions)

    def read(self, start: int = 0, stop: int | None = None) -> ImageSet:
        """The images from `start` up to before `stop`, with the meaning of a slice."""
        return self.take(np.arange(*slice(start, stop).indices(self.count)))

    def select(self, positions: np.ndarray) -> ImageSource:
        """Some of the images, int64 [n], ascending, as a source of their own."""
        return replace(
            self,
            count=len(positions),
            fetch=lambda chosen: self.fetch(positions[chosen]),
            conditions=self._conditions(positions),
        )

    def limit(self, n: int | None) -> ImageSource:
        """The first `n` images: all of them for None, or where there are fewer.

        Raises:
            InputError: `n` is not a whole number >= 1.
        """
        check_limit(n)
        count = self.count if n is None else min(n, self.count)
        return replace(self, count=count, conditions=self._conditions(slice(count)))


def rows(array: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """`array[positions]` for ascending positions; neighbours are given as a view, without a copy."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return array[positions[0] : positions[-1] + 1]
    return array[positions]


def read_ahead(source: ImageSource, length: int) -> Generator[ImageSet, None, None]:
    """All images in parts of `length`; while one part is worked on, a thread reads the next.

    At most two parts are held here. Close the generator (`contextlib.closing`) to end the thread early.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        ahead = pool.submit(source.read, 0, length)
        for start in range(0, len(source), length):
            part = ahead.result()
            if start + length < len(source):
                ahead = pool.submit(source.read, start + length, start + 2 * length)
            yield part
