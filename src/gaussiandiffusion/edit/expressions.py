"""Selections by an expression: `select(splats, "inside(0,0,0.5,0.5) & color(#ff0000, 20)")`; see `edit.grammar`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from gaussiandiffusion.edit import selections
from gaussiandiffusion.edit.grammar import Call, Node, Not, parse, refuse
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats


def select(
    splats: Splats,
    expression: str,
    *,
    base: Path | None = None,
    files: Mapping[str, Path] | None = None,
    selected: Bool[Tensor, "n k"] | None = None,
) -> Bool[Tensor, "n k"]:
    """Which splats of each set an expression means.

    Args:
        splats: the sets; places and sizes in canvas units.
        expression: `all`, `none`, `inside(x0,y0,x1,y1)`, `ellipse(x,y,rx,ry)`, `polygon(x,y,x,y,...)`, `mask(FILE)`,
            `color(#rrggbb,distance)`, `index(0,4,10:20)`, `set(0,2:5)`, `size(least,most)`, `brightness(least,most)`,
            `drawn(x,y,share)`, `grow(selection,distance)`, `shrink(selection,distance)`, joined by `&`, `|`, `!` and
            parentheses.
        base: folder that the files of masks lie in; default: the working folder.
        files: where some of them lie, by their names in the expression, which counts before `base`.
        selected: what the word `selected` stands for.

    Returns:
        A mask over the splats, which may be empty.

    Raises:
        InputError: it is no selection, or asks for what these sets do not have; shows the place.
    """
    node = parse(expression)

    def path_of(name: str) -> Path:
        given = (files or {}).get(name)
        return given if given is not None else (base or Path()) / name

    def of(node: Node) -> Bool[Tensor, "n k"]:
        if isinstance(node, Not):
            return ~of(node.inner)
        if isinstance(node, Call):
            try:
                return called(node)
            except InputError as error:
                if str(error).startswith("selection '"):  # from further in
                    raise
                refuse(expression, node.column, str(error))
        parts = [of(part) for part in node.parts]
        return functools.reduce(torch.logical_and if node.mark == "&" else torch.logical_or, parts)

    def called(call: Call) -> Bool[Tensor, "n k"]:
        numbers = call.numbers
        match call.name:
            case "all" | "none":
                return torch.full_like(splats.rhos, call.name == "all", dtype=torch.bool)
            case "selected":
                if selected is None:
                    raise InputError("no edit came before whose selection could be meant; say which splats")
                return selected
            case "inside":
                return selections.inside(splats, *numbers)
            case "ellipse":
                return selections.ellipse(splats, *numbers)
            case "polygon":
                return selections.polygon(splats, numbers)
            case "mask":
                return selections.mask(splats, path_of(call.file))
            case "color":
                return selections.by_color(splats, call.color, *numbers)
            case "index":
                chosen = selections.by_index(splats.num_splats, call.indices)
                return chosen.to(splats.device).expand(len(splats), -1)
            case "set":
                chosen = selections.by_index(len(splats), call.indices, "sets")
                return chosen.to(splats.device)[:, None].expand(-1, splats.num_splats)
            case "size":
                return selections.by_size(splats, *numbers)
            case "brightness":
                return selections.by_brightness(splats, *numbers)
            case "drawn":
                return selections.drawn(splats, *numbers)
        assert call.inner is not None  # of grow and shrink
        near = selections.grow if call.name == "grow" else selections.shrink
        return near(splats, of(call.inner), *numbers)

    return of(node)
