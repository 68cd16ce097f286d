"""Are generated images copies of training images? Their nearest ones beside those that real images have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image

from gaussiandiffusion.evaluation.features.inputs import unit_images
from gaussiandiffusion.rendering.media import grid_image

QUANTILE = 0.01  # "near" is nearer than 99 % of the real images are
SHOWN = 10  # pairs of each kind in the report and its picture
BACKGROUND = 40  # grey of `grid_image`
PICTURE_WIDTH = 1000  # pixels the picture is enlarged toward
TRAIN_BLOCK, QUERY_BLOCK = 4096, 2048  # 32 MB of products at once

Images = UInt8[np.ndarray, "_ c h w"]  # as many as there are of each kind


@dataclass(frozen=True)
class Pair:
    """A generated image and the training image nearest to it.

    Attributes:
        generated: index of the one.
        train: index of the other.
        distance: Euclidean, of pixels in [0, 1].
    """

    generated: int
    train: int
    distance: float


@dataclass(frozen=True)
class Memorisation:
    """Distances of generated images to the training set, beside those of real images that were not in it.

    Attributes:
        train_images: in the training set, all of them.
        median: of the generated images' distances.
        median_real: of the real reference images' distances.
        threshold: 1st percentile of the real ones.
        share_near: of the generated images, those nearer to a training image than the threshold.
        share_near_expected: what images as new as the real ones would have, 0.01.
        closest: the generated images nearest to a training image, nearest first.
        typical: those about the median.
    """

    train_images: int
    median: float
    median_real: float
    threshold: float
    share_near: float
    share_near_expected: float
    closest: list[Pair]
    typical: list[Pair]


def memorisation(generated: Images, real: Images, train: Images) -> Memorisation:
    """Compare the distances to the nearest training images of generated and of real images.

    Args:
        generated: as saved.
        real: of the same size, none of them in `train`.
        train: all that the generator was trained on.
    """
    distances, nearest = nearest_images(generated, train)
    distances_real, _ = nearest_images(real, train)
    threshold = float(np.quantile(distances_real, QUANTILE))
    order = np.argsort(distances, kind="stable")
    middle = max(0, (len(order) - SHOWN) // 2)

    def pairs(chosen: np.ndarray) -> list[Pair]:
        return [Pair(int(i), int(nearest[i]), float(distances[i])) for i in chosen]

    return Memorisation(
        train_images=len(train),
        median=float(np.median(distances)),
        median_real=float(np.median(distances_real)),
        threshold=threshold,
        share_near=float((distances < threshold).mean()),
        share_near_expected=QUANTILE,
        closest=pairs(order[:SHOWN]),
        typical=pairs(order[middle : middle + SHOWN]),
    )


def nearest_images(
    images: Images, train: UInt8[np.ndarray, "m c h w"]
) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Distance of each image to the nearest training image (Euclidean, of pixels in [0, 1]), and which that is.

    Memory is bounded: besides the images as floats, one block of products.
    """
    queries = unit_images(images).flatten(1)  # (n, pixels)
    best = torch.full((len(queries),), torch.inf)
    nearest = torch.zeros(len(queries), dtype=torch.int64)
    for first in range(0, len(train), TRAIN_BLOCK):
        block = unit_images(train[first : first + TRAIN_BLOCK]).flatten(1)
        half_norms = block.square().sum(dim=1) / 2
        for start in range(0, len(queries), QUERY_BLOCK):
            rows = slice(start, start + QUERY_BLOCK)
            # Half the squared distance, less the half norm of the query, which is the same for all.
            values, places = torch.addmm(half_norms, queries[rows], block.T, alpha=-1).min(dim=1)
            nearer = values < best[rows]
            best[rows] = torch.where(nearer, values, best[rows])
            nearest[rows] = torch.where(nearer, places + first, nearest[rows])
    distances = torch.empty(len(queries), dtype=torch.float64)
    for start in range(0, len(queries), QUERY_BLOCK):  # once more from the differences: a copy is at exactly 0
        rows = slice(start, start + QUERY_BLOCK)
        found = unit_images(train[nearest[rows].numpy()]).flatten(1)
        distances[rows] = (queries[rows] - found).double().square().sum(dim=1).sqrt()
    return distances.numpy(), nearest.numpy()


def neighbours_picture(record: Memorisation, generated: Images, train: Images) -> Image.Image:
    """The pairs of a record: closest generated images above their training images; below, typical ones above theirs."""
    gap = np.full((len(record.closest), *generated.shape[1:]), BACKGROUND, np.uint8)
    rows = [
        generated[[pair.generated for pair in record.closest]],
        train[[pair.train for pair in record.closest]],
        gap,
        generated[[pair.generated for pair in record.typical]],
        train[[pair.train for pair in record.typical]],
    ]
    scale = max(1, PICTURE_WIDTH // (len(record.closest) * generated.shape[3]))
    return grid_image(torch.from_numpy(np.concatenate(rows)), columns=len(record.closest), scale=scale)
