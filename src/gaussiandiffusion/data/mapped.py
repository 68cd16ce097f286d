"""Arrays too large to hold: opened anew for each reading, so that what was read does not stay in memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gaussiandiffusion.data.stream import ImageSource, rows
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

HELD = 256 << 20  # bytes: smaller arrays are simply read whole
CHUNK = 1 << 20


def array_source(
    open_array: Callable[[], np.ndarray],
    convert: Callable[[np.ndarray], np.ndarray] = np.asarray,
    conditions: ConditionColumns | None = None,
    name: str = "images",
) -> ImageSource:
    """A source of the images in one array.

    Args:
        open_array: gives the array, [N, C, H, W] in any dtype and memory order; called for every reading.
        convert: brings rows of it to uint8.
        conditions: of the images, or None.
        name: of the source.
    """
    count, channels, height, width = open_array().shape

    def fetch(positions: np.ndarray) -> np.ndarray:
        part = rows(open_array(), positions)
        if isinstance(part, np.memmap):
            part = np.array(part)  # a copy, so that the mapping ends here
        return convert(part)

    return ImageSource(count, (height, width, channels), fetch, conditions, name)


def mapped(
    file: Path | BinaryIO, where: Path, shape: tuple[int, ...], *, dtype: Any = np.uint8, offset: int = 0, order="C"
) -> Callable[[], np.ndarray]:
    """A function that maps the array in `file`; `where` names it in errors.

    Raises (when called):
        InputError: the file has vanished or has become shorter.
    """

    def open_array() -> np.ndarray:
        try:
            return np.memmap(file, dtype, "r", offset, shape, order)
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{where}: has become unreadable ({reason}); leave it in place while it is used") from None

    if not isinstance(file, Path):
        weakref.finalize(open_array, file.close)
    return open_array


def unpacked(stream: IO[bytes], where: Path) -> BinaryIO:
    """The rest of a compressed stream, as a file without a name that vanishes with its last user.

    Raises:
        InputError: there is no room for it.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the source)
    try:
        shutil.copyfileobj(stream, _Writer(file, where), CHUNK)
    except BaseException:
        file.close()
        raise
    return file


class _Writer:
    """Tells the errors of writing from those of reading."""

    def __init__(self, file: Any, where: Path) -> None:
        self.file, self.where = file, where

    def write(self, content: bytes) -> None:
        try:
            self.file.write(content)
        except OSError as error:
            raise InputError(
                f"{self.where}: cannot be unpacked to {tempfile.gettempdir()} ({error.strerror or error}); "
                "set TMPDIR to a folder with room, or unpack it yourself"
            ) from error
