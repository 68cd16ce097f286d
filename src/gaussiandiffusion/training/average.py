"""The exponential average of a network's weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from gaussiandiffusion.training.checkpoint import AverageState
from gaussiandiffusion.training.rounding import AVERAGE_BITS, copy_into, flat_like, round_to_


class Average:
    """Averaged weights, kept as differences to the present ones.

    The average e of weights w becomes e + (1 - d) (w - e), d rising as (1 + step) / (10 + step) to `decay`. Differences
    are rounded to 24 bits at every step: at most 8e-6 of themselves, where a step changes them by 1 - d. Averages
    rounded so would stand still before they had arrived.

    Args:
        weights: of the network, which change in place.
    """

    def __init__(self, weights: Iterable[Tensor], decay: float) -> None:
        self.weights = [weight.detach() for weight in weights]
        self.decay, self.steps = decay, 0
        self.flat, self.differences = flat_like(self.weights)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Let the average follow a change of the weights."""
        torch._foreach_add_(self.differences, self.weights)
        yield
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        self.steps += 1
        torch._foreach_lerp_(self.differences, self.weights, 1 - decay)
        torch._foreach_sub_(self.differences, self.weights)
        round_to_(self.flat, AVERAGE_BITS)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The averages in place of the weights."""
        raw = [weight.clone() for weight in self.weights]
        torch._foreach_add_(self.weights, self.differences)
        try:
            yield
        finally:
            torch._foreach_copy_(self.weights, raw)

    def state(self) -> AverageState:
        return {"optimization_step": self.steps, "differences": self.differences}

    def restore(self, state: AverageState) -> None:
        """Go on from a state; the weights are those of then.

        Raises:
            KeyError, ValueError: it is another network's.
        """
        if "differences" in state:
            copy_into(self.differences, state["differences"])
        else:
            copy_into(self.differences, state["shadow_params"])
            torch._foreach_sub_(self.differences, self.weights)
            round_to_(self.flat, AVERAGE_BITS)
        self.steps = state["optimization_step"]
