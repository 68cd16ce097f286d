"""Which conditions cannot be told from a picture, because another value gives nearly the same one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, UInt8

from gaussiandiffusion.ground.attributes import ConditionColumns

ALIKE = 40.0  # dB between two pictures from which on no viewer or judge of generated ones tells them apart
BLOCK = 1024


def lookalikes(
    images: UInt8[np.ndarray, "n c h w"],
    columns: ConditionColumns,
    attribute: str,
    psnr: float = ALIKE,
    rows: Int[np.ndarray, " m"] | None = None,
) -> Bool[np.ndarray, "m values"]:
    """For each image the values of an attribute that would show it as well: its own, and those that, with all else
    equal, have a picture that is this one up to a PSNR.

    Args:
        images: uint8.
        columns: conditions of each image.
        attribute: the one to change.
        psnr: in dB; infinite for pictures that are the same.
        rows: the images that are asked about; default: all.
    """
    place = list(columns.spec.attributes).index(attribute)
    values, size = np.ascontiguousarray(columns.values), columns.spec.sizes[place]
    first = {row.tobytes(): i for i, row in enumerate(values)}
    rows = np.arange(len(values)) if rows is None else rows
    alike = np.zeros((len(rows), size), bool)
    largest = 255**2 * 10 ** (-psnr / 10)
    for value in range(size):
        changed = values[rows]
        changed[:, place] = value
        other = np.array([first.get(row.tobytes(), -1) for row in changed], np.int64)
        found = np.flatnonzero(other >= 0)
        for block in np.array_split(found, len(found) // BLOCK + 1):
            difference = images[rows[block]].astype(np.float32) - images[other[block]]
            alike[block, value] = np.square(difference).mean(axis=(1, 2, 3)) <= largest
    alike[np.arange(len(rows)), values[rows, place]] = True
    return alike
