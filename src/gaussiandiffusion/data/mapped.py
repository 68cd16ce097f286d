"""Arrays too large to hold: opened anew for each reading, so that what was read does not stay in memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

import numpy as np

from gaussiandiffusion.data.stream import ImageSource, rows
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

HELD = 256 << 20  # bytes: smaller arrays are simply read whole
CHUNK = 1 << 20
LARGEST_RATIO = 250  # of images' bytes unpacked and packed; only what is made to fill a disk packs better


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
    file: Path | IO[bytes], where: Path, shape: tuple[int, ...], *, dtype: Any = np.uint8, offset: int = 0, order="C"
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


def unpacked(stream: BufferedIOBase, where: Path, length: int, packed: int) -> IO[bytes]:
    """The next `length` bytes of a compressed stream, as a file without a name that vanishes with its last user.

    Args:
        stream: may end before.
        packed: bytes of all of it as it is.

    Raises:
        InputError: there is no room for them, or they are far more than images pack to.
    """
    if length > HELD and length > LARGEST_RATIO * packed:
        raise InputError(
            f"{where}: unpacks from {packed} to {length} bytes, as no images do; take the first with --limit, or save "
            "it unpacked"
        )
    if length > (room := shutil.disk_usage(tempfile.gettempdir()).free):
        raise _no_room(where, f"{length} bytes, with room for {room}")
    file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the source)
    try:
        while length and (content := stream.read(min(length, CHUNK))):
            _write(file, content, where)
            length -= len(content)
    except BaseException:
        file.close()
        raise
    return file


def _write(file: IO[bytes], content: bytes, where: Path) -> None:
    try:
        file.write(content)
    except OSError as error:  # unlike one of reading
        raise _no_room(where, str(error.strerror or error)) from error


def _no_room(where: Path, why: str) -> InputError:
    return InputError(
        f"{where}: cannot be unpacked to {tempfile.gettempdir()} ({why}); set TMPDIR to a folder with room, or unpack "
        "it yourself"
    )
