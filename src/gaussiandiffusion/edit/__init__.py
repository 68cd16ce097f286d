"""Edits of sets: selections and operations, by hand and by a model."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.edit.expressions import select

__all__: list[str] = [
    "select",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "select": "expressions",
    },
)
