"""Edits of sets: selections and operations, by hand and by a model."""

from typing import TYPE_CHECKING

from gaussiandiffusion.ground.lazy import lazily

if TYPE_CHECKING:
    from gaussiandiffusion.edit.applying import apply
    from gaussiandiffusion.edit.expressions import select
    from gaussiandiffusion.edit.guidance import Target, guide
    from gaussiandiffusion.edit.inpainting import complete, inpaint
    from gaussiandiffusion.edit.interpolation import interpolate
    from gaussiandiffusion.edit.noise import noise_of_sets, transfer
    from gaussiandiffusion.edit.operations.align import Align
    from gaussiandiffusion.edit.operations.base import Operation
    from gaussiandiffusion.edit.operations.canvas import Crop, Resize, Tile, Turn
    from gaussiandiffusion.edit.operations.densify import Densify, densify
    from gaussiandiffusion.edit.operations.layer import Layer, layer
    from gaussiandiffusion.edit.operations.looks import Opacity, Recolor
    from gaussiandiffusion.edit.operations.number import Delete, Duplicate
    from gaussiandiffusion.edit.operations.place import Flip, Move, Rotate, Scale, Shear
    from gaussiandiffusion.edit.operations.prune import Prune, prune
    from gaussiandiffusion.edit.registry import parse_operation
    from gaussiandiffusion.edit.replaying import replay
    from gaussiandiffusion.edit.sets_in import encoded_anew
    from gaussiandiffusion.edit.slots import InSlots, in_slots
    from gaussiandiffusion.edit.variation import vary

__all__: list[str] = [
    "Align",
    "Crop",
    "Delete",
    "Densify",
    "Duplicate",
    "Flip",
    "InSlots",
    "Layer",
    "Move",
    "Opacity",
    "Operation",
    "Prune",
    "Recolor",
    "Resize",
    "Rotate",
    "Scale",
    "Shear",
    "Target",
    "Tile",
    "Turn",
    "apply",
    "complete",
    "densify",
    "encoded_anew",
    "guide",
    "in_slots",
    "inpaint",
    "interpolate",
    "layer",
    "noise_of_sets",
    "parse_operation",
    "prune",
    "replay",
    "select",
    "transfer",
    "vary",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Align": "operations.align",
        "Crop": "operations.canvas",
        "Delete": "operations.number",
        "Densify": "operations.densify",
        "Duplicate": "operations.number",
        "Flip": "operations.place",
        "InSlots": "slots",
        "Layer": "operations.layer",
        "Move": "operations.place",
        "Opacity": "operations.looks",
        "Operation": "operations.base",
        "Prune": "operations.prune",
        "Recolor": "operations.looks",
        "Resize": "operations.canvas",
        "Rotate": "operations.place",
        "Scale": "operations.place",
        "Shear": "operations.place",
        "Target": "guidance",
        "Tile": "operations.canvas",
        "Turn": "operations.canvas",
        "apply": "applying",
        "complete": "inpainting",
        "densify": "operations.densify",
        "encoded_anew": "sets_in",
        "guide": "guidance",
        "in_slots": "slots",
        "inpaint": "inpainting",
        "interpolate": "interpolation",
        "layer": "operations.layer",
        "noise_of_sets": "noise",
        "parse_operation": "registry",
        "prune": "operations.prune",
        "replay": "replaying",
        "select": "expressions",
        "transfer": "noise",
        "vary": "variation",
    },
)
