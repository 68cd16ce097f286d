"""What AdamW remembers of every weight, in as many bits as it needs."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from gaussiandiffusion.training.checkpoint import MomentsState
from gaussiandiffusion.training.rounding import MEAN_BITS, SQUARE_BITS, copy_into, flat_like, round_to_


class Moments:
    """AdamW's moments, rounded at every step.

    Of the mean gradient bfloat16's 16 bits are kept: a step changes it by a tenth of what differs, far more than it is
    rounded by. Mean squares change by 1 - beta2, perhaps a thousandth, so they have 24 bits.

    Args:
        optimizer: AdamW that has not taken a step, on its device.
    """

    def __init__(self, optimizer: torch.optim.AdamW) -> None:
        (group,) = optimizer.param_groups
        weights = group["params"]
        self.mean, self.means = flat_like(weights)
        self.square, self.squares = flat_like(weights)
        self.steps = [torch.zeros((), device=weight.device) for weight in weights]
        for weight, step, mean, square in zip(weights, self.steps, self.means, self.squares, strict=True):
            optimizer.state[weight] = {"step": step, "exp_avg": mean, "exp_avg_sq": square}

    def round(self) -> None:
        """After every step."""
        round_to_(self.mean, MEAN_BITS)
        round_to_(self.square, SQUARE_BITS)

    def restore(self, held: Mapping[int, MomentsState]) -> None:
        """Go on from a state; one of no moments is that of the beginning.

        Raises:
            KeyError, ValueError: it is another network's.
        """
        numbers = range(len(self.means))
        if held:
            copy_into(self.means, [held[i]["exp_avg"] for i in numbers])
            copy_into(self.squares, [held[i]["exp_avg_sq"] for i in numbers])
            copy_into(self.steps, [held[i]["step"].view(()) for i in numbers])
        else:
            for tensor in (self.mean, self.square, *self.steps):
                tensor.zero_()
        self.round()
