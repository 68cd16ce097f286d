"""Edits of sets: selections and operations, by hand and by a model."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.edit.operations.densify import densify
    from gaussiandiffusion.edit.operations.prune import prune

__all__: list[str] = [
    "densify",
    "prune",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "densify": "operations.densify",
        "prune": "operations.prune",
    },
)
