"""Rows of published files as `published.drawing` takes them: [sigma_x, sigma_y, rho, alpha, colour(s), x, y].

Files hold 7 columns (grey), 9 (RGB) or 8 (RGB without alpha). Those of the paper's time hold what Adam moved: sigmas
and alpha from before a sigmoid, rho from before a tanh, and colours that are cut to [0, 1] and multiplied by alpha when
drawn.

Source: github.com/simoncoessens/GaussianDiffusion, "create-gaussian-dataset" and the samplers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError

CHANNELS = {7: 1, 8: 3, 9: 3}  # columns -> colours
FAULTY = 0.25  # of rows, at most, in a file of numbers as drawn; of raw ones most lie beyond
EMPTY_SIGMA = 1.0  # of rows that fill a set up; their colour is 0


@dataclass(frozen=True)
class Rows:
    """Some sets of a file.

    Attributes:
        sets: as stored, [N, K, 7, 8 or 9].
        labels, psnr: of each, where known.
    """

    sets: Float[Tensor, "n k f"]
    labels: Int64[Tensor, " n"] | None = None
    psnr: Float[Tensor, " n"] | None = None

    def __getitem__(self, chosen: Bool[Tensor, " n"]) -> Rows:
        """Those that are chosen."""
        labels, psnr = (None if each is None else each[chosen] for each in (self.labels, self.psnr))
        return Rows(self.sets[chosen], labels, psnr)


def channels_of(columns: int, where: str) -> int:
    """Colours of rows with so many columns; raises InputError where no published file has as many."""
    if columns not in CHANNELS:
        raise InputError(f"{where}: rows of {columns} numbers are in no published file; they have 7, 8 or 9")
    return CHANNELS[columns]


def seem_raw(sets: Float[Tensor, "n k f"]) -> bool:
    """Whether numbers must be from before sigmoid and tanh: in too many rows for these to be faults, sigmas lie beyond
    (0, 1], or rhos beyond [-1, 1]."""
    sigmas, rhos = sets[..., :2], sets[..., 2]
    beyond = ((sigmas <= 0) | (sigmas > 1)).any(-1) | (rhos.abs() > 1)  # (n, k)
    return float(beyond.float().mean()) > FAULTY


def drawn_rows(sets: Float[Tensor, "n k f"], values: Literal["final", "raw"]) -> Float[Tensor, "n k g"]:
    """Stored rows with an alpha, and as they are drawn; alpha, which is not used in drawing, is 1 where it was none."""
    sets = sets.float()
    if sets.shape[-1] == 8:
        sets = torch.cat([sets[..., :3], torch.ones_like(sets[..., :1]), sets[..., 3:]], -1)
    if values == "final":
        return sets
    alpha = sets[..., 3:4].sigmoid()
    colors = sets[..., 4:-2].clamp(0, 1) * alpha
    shape = [sets[..., :2].sigmoid(), sets[..., 2:3].tanh(), torch.ones_like(alpha)]
    return torch.cat([*shape, colors, sets[..., -2:]], -1)


def unsound(rows: Float[Tensor, "n k f"], *, angles: bool = False) -> dict[str, Bool[Tensor, " n"]]:
    """Which sets, of rows as drawn, cannot be drawn, by what is wrong with them.

    Args:
        angles: an angle stands in place of rho.
    """
    broken = ~rows.isfinite().all(-1).all(-1)
    found = {
        "NaN or infinity": broken,
        "sigmas that are not > 0": ~broken & (rows[..., :2] <= 0).any(-1).any(-1),
    }
    if not angles:
        found["rhos beyond [-1, 1]"] = ~broken & (rows[..., 2].abs() > 1).any(-1)
    return found


def filled_up(sets: list[Float[Tensor, "_ f"]], count: int) -> Float[Tensor, "n k f"]:
    """Sets of different numbers of rows as one tensor: rows without colour make up what a set lacks."""
    full = sets[0].new_zeros(len(sets), count, sets[0].shape[1])
    full[..., :2] = EMPTY_SIGMA
    for place, rows in enumerate(sets):
        full[place, : len(rows)] = rows
    return full
