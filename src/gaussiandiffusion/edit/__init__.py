"""Edits of sets: selections and operations, by hand and by a model."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.edit.expressions import select
    from gaussiandiffusion.edit.guidance import Target, guide
    from gaussiandiffusion.edit.inpainting import complete, inpaint
    from gaussiandiffusion.edit.interpolation import interpolate
    from gaussiandiffusion.edit.noise import noise_of_sets, transfer
    from gaussiandiffusion.edit.sets_in import encoded_anew
    from gaussiandiffusion.edit.variation import vary

__all__: list[str] = [
    "Target",
    "complete",
    "encoded_anew",
    "guide",
    "inpaint",
    "interpolate",
    "noise_of_sets",
    "select",
    "transfer",
    "vary",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Target": "guidance",
        "complete": "inpainting",
        "encoded_anew": "sets_in",
        "guide": "guidance",
        "inpaint": "inpainting",
        "interpolate": "interpolation",
        "noise_of_sets": "noise",
        "select": "expressions",
        "transfer": "noise",
        "vary": "variation",
    },
)
