"""`Network`: what all networks that denoise have in common."""

from __future__ import annotations

from typing import Any

from gaussiandiffusion.ground.attributes import ConditionSpec, saved_conditions
from gaussiandiffusion.ground.component import Component
from gaussiandiffusion.ground.errors import InputError

LARGEST = {"depth": 256, "layers": 64}  # of the sizes that cost time even without memory
MOST = 65_536  # of the others


class Network(Component):
    """A component that takes noisy latents, timesteps in 0 ... 1000, conditions and anchors; see `GaussianTransformer`.

    Its configuration names the attributes it knows, under `conditions`.
    """

    @property
    def condition_spec(self) -> ConditionSpec:
        """What can be asked of it."""
        return ConditionSpec(self.config.conditions or {})

    @property
    def num_anchor_features(self) -> int:
        """Width of the anchors it takes; 0: none."""
        return self.config.get("num_anchor_features", 0)

    @classmethod
    def upgraded(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Until 0.1 a network had `num_classes` without names."""
        conditions = saved_conditions(config)
        config.pop("num_classes", None)
        return config if conditions is None else config | {"conditions": conditions}


def check_sizes(**sizes: int) -> None:
    """Refuse sizes of a network that are none.

    Raises:
        InputError: below 1, or beyond what any network has.
    """
    for name, value in sizes.items():
        if not 1 <= value <= LARGEST.get(name, MOST):
            raise InputError(f"{name} must lie between 1 and {LARGEST.get(name, MOST)}, not {value}")
