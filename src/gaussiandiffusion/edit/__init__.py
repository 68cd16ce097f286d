"""Edits of sets: selections and operations, by hand and by a model."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    pass

__all__: list[str] = []

__getattr__, __dir__ = lazily(
    __name__,
    {},
)
