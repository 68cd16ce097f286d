"""`prepare`: what compiled code an encoder will need, loaded while its images are read."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

import numpy as np

from gaussiandiffusion.encoding.encoder import FitEncoder
from gaussiandiffusion.encoding.settings import default_settings
from gaussiandiffusion.rendering.cpu.compiler import kernel_available
from gaussiandiffusion.splats import Canvas


def prepare(canvas: Canvas) -> Thread | None:
    """Begin to compile, or load, what it takes to encode pictures like this, and return at once.

    A thread does it, by encoding a black picture, while the caller reads its data. There is nothing to wait for: who
    encodes meanwhile waits by itself. Where numba is missing, nothing is done.
    """
    if not kernel_available():
        return None
    from gaussiandiffusion.rendering.cpu.tiles import WHOLE

    width = WHOLE + 1 if canvas.longer_side > WHOLE else 8  # large pictures go by tiles
    encoder = FitEncoder(default_settings(canvas.channels, num_splats=1, iterations=1))
    black = np.zeros((1, canvas.channels, 1, width), np.uint8)

    def work() -> None:
        with suppress(Exception):  # the program may be ending; who encodes is told by itself
            encoder.encode(black, threads=1)

    thread = Thread(target=work, name="prepare", daemon=True)
    thread.start()
    return thread
