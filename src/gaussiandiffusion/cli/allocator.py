"""Memory that is freed is kept for the next tensor, instead of given back to the system at once.

A network's intermediate tensors are of a size that the GNU C library asks the system for, and gives back, every time;
the system then clears each page anew, in one thread at a time. That can take longer than the arithmetic on them.
"""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # as <malloc.h> numbers them
KEPT = 256 << 20  # bytes that may lie free at the end of a heap
STEP = 16 << 20  # bytes that a heap grows by
LARGEST = 32 << 20  # of a block that comes from a heap: as large as the library allows


def keep_memory() -> bool:
    """Ask the C library to, in a process of our own; returns whether it could.

    Nothing is changed where the user has said how memory is to be had (`MALLOC_...`, `GLIBC_TUNABLES`), nor where
    there is another C library.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((MMAP_THRESHOLD, LARGEST), (TRIM_THRESHOLD, KEPT), (TOP_PAD, STEP))
    heeded = [mallopt(ctypes.c_int(name), ctypes.c_int(value)) == 1 for name, value in settings]
    return all(heeded)
