"""Where conditions determine the picture: each generated one against the true one of the same conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.measures.accuracy import aligned
from gaussiandiffusion.evaluation.measures.lookalikes import lookalikes
from gaussiandiffusion.ground.attributes import ConditionColumns

BEST = 100.0  # dB that equal pictures count as, so that means stay finite


@dataclass(frozen=True)
class Paired:
    """Generated pictures against the true ones.

    Attributes:
        partners: generated images that have a true picture of the same conditions among the real ones.
        psnr_mean: of these, in dB.
        psnr_p10: a tenth of them have less.
        as_asked: share of these with every attribute right, where a value counts as right too that would show nearly
            the same picture (see `lookalikes`); None without a judge.
        attributes: the same for each attribute.
    """

    partners: int
    psnr_mean: float
    psnr_p10: float
    as_asked: float | None
    attributes: dict[str, float] | None


def partners(asked: ConditionColumns, real: ImageSet) -> Int[np.ndarray, " n"] | None:
    """For each generated image the index of the true one, -1 where the real ones have none.

    None where conditions do not determine the picture: the real ones have one attribute or none, or several pictures of
    the same conditions, or the generated ones were not asked for all of them.
    """
    columns = real.conditions
    if columns is None or len(columns.spec.attributes) < 2:
        return None
    wanted = aligned(asked, columns.spec)
    if set(wanted) != set(columns.spec.attributes):
        return None
    places = {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(columns.values))}
    if len(places) < len(real):
        return None
    rows = np.ascontiguousarray(np.stack([wanted[name] for name in columns.spec.attributes], axis=1))
    found = np.array([places.get(row.tobytes(), -1) for row in rows], np.int64)
    return found if (found >= 0).any() else None


def psnr(images: UInt8[np.ndarray, "n c h w"], others: UInt8[np.ndarray, "n c h w"]) -> Float[np.ndarray, " n"]:
    """Of each pair, in dB; equal ones have `BEST`."""
    errors = [
        np.square(images[i : i + 1024].astype(np.float64) - others[i : i + 1024]).mean(axis=(1, 2, 3))
        for i in range(0, len(images), 1024)
    ]
    return -10 * np.log10(np.maximum(np.concatenate(errors) / 255**2, 10 ** (-BEST / 10)))


def paired(
    generated: UInt8[np.ndarray, "n c h w"],
    asked: ConditionColumns,
    real: ImageSet,
    seen: dict[str, Int[np.ndarray, " n"]] | None,
) -> Paired | None:
    """Compare generated images to the true ones, if conditions determine the picture.

    Args:
        generated: of the real ones' size.
        asked: of each.
        real: all of the reference with its conditions.
        seen: what a judge sees in them, attribute by attribute, in the indices of the real ones' spec.
    """
    found = partners(asked, real)
    if found is None:
        return None
    has = found >= 0
    quality = psnr(generated[has], real.images[found[has]])
    right = None if not seen else _right(seen, real, found, has)
    return Paired(
        partners=int(has.sum()),
        psnr_mean=float(quality.mean()),
        psnr_p10=float(np.quantile(quality, 0.1)),
        as_asked=None if right is None else float(np.logical_and.reduce(list(right.values())).mean()),
        attributes=None if right is None else {name: float(each.mean()) for name, each in right.items()},
    )


def _right(
    seen: dict[str, Int[np.ndarray, " n"]],
    real: ImageSet,
    found: Int[np.ndarray, " n"],
    has: Bool[np.ndarray, " n"],
) -> dict[str, Bool[np.ndarray, " m"]]:
    """Of each attribute, whether the verdict is a value that the true picture shows."""
    assert real.conditions is not None
    return {
        name: lookalikes(real.images, real.conditions, name, rows=found[has])[np.arange(has.sum()), values[has]]
        for name, values in seen.items()
    }
