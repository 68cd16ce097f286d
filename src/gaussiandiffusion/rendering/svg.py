"""Splats as SVG: one soft ellipse each, added up by the viewer.

Beside what is drawn, rounded for short files, stands what `svg_reading` needs to read the set back as it was: the
header of splat files in `<metadata>`, and with each shape the numbers of its splat in `data-splat`: x y sigma_x sigma_y
rho, the colour's channels, and the opacity if there are any. Splats too dark to be seen are there too, undrawn.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import torch
from jaxtyping import Int64
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_bytes
from gaussiandiffusion.rendering.svg_shapes import check_amounts, gradient_stops, levels, shapes_of
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.splats.storage import Header


def to_svg(
    splats: Splats, path: str | os.PathLike[str], *, size: int | None = None, header: Header | None = None
) -> None:
    """Write one set as an SVG whose ellipses add up (`mix-blend-mode: plus-lighter`).

    A splat becomes a unit circle filled with a radial gradient that samples the Gaussian, under the linear map that
    its covariance is. Browsers draw it; viewers without plus-lighter show ellipses over each other instead. Colours
    above 1 are drawn as several layers. `Splats.load` reads it again.

    Args:
        splats: a batch of one set, blending "sum", output "clamp", colours >= 0.
        path: the file to write.
        size: longer side in pixels; default: the canvas. The drawing scales to any size.
        header: of the file that the set comes from, for what it says of its making.

    Raises:
        InputError: more than one set, or sets that SVG's adding cannot draw, for their kind or their brightness.
    """
    check_drawable(splats)
    if splats.num_splats:
        splats.validate(str(path))
    canvas = splats.canvas.resized(size)
    splats = splats.detach().to("cpu", torch.float32)
    shapes = shapes_of(splats, canvas)
    check_amounts(splats, shapes, path)
    lines = []
    for matrix, fill, layers, numbers in zip(
        shapes.matrices.tolist(), shapes.fills, shapes.layers.tolist(), _numbers(splats), strict=True
    ):
        a, b, c, d, e, f = matrix
        shape = (
            f'<g transform="matrix({a:.4f} {b:.4f} {c:.0f} {d:.4f} {e:.4f} {f:.4f})" data-splat="{numbers}"'
            f'{"" if layers else _UNDRAWN}><circle r="1" fill="{_rgb(fill)}" mask="url(#m)"/></g>'
        )
        lines += [shape] * max(1, layers)
    stops = "".join(
        f'<stop offset="{offset:.4f}" stop-color="#fff" stop-opacity="{opacity:.4f}"/>'
        for offset, opacity in gradient_stops()
    )
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}" '
        f'viewBox="0 0 {canvas.width} {canvas.height}">\n'
        f"<metadata>{escape(_notes(splats, header))}</metadata>\n"
        f'<defs><radialGradient id="g">{stops}</radialGradient>'
        '<mask id="m" maskUnits="userSpaceOnUse" x="-1" y="-1" width="2" height="2">'
        '<circle r="1" fill="url(#g)"/></mask></defs>\n'
        "<style>g{mix-blend-mode:plus-lighter}svg{isolation:isolate}</style>\n"
        f'<rect width="100%" height="100%" fill="{_rgb(levels(splats.background.double())[0])}"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )
    write_bytes(Path(path), text.encode())


_UNDRAWN = ' display="none"'


def check_drawable(splats: Splats) -> None:
    """Raise InputError unless SVG's adding can draw these."""
    if len(splats) != 1:
        raise InputError(f"an SVG shows one set, not {len(splats)}; pick one: splats[0]")
    if splats.canvas.channels == 4:
        raise InputError("SVG's adding has no transparency; encode the picture as RGB")
    if splats.blending != "sum" or splats.output != "clamp":
        raise InputError('SVG can draw summed splats with output "clamp" only')
    if bool((splats.colors < 0).any()):
        raise InputError("SVG cannot draw negative colours; encode without --signed")


def _numbers(splats: Splats) -> list[str]:
    """The parameters of each splat, in nine digits, which name every float32 exactly."""
    columns = [splats.means[0], splats.sigmas[0], splats.rhos[0, :, None], splats.colors[0]]
    if splats.opacities is not None:
        columns.append(splats.opacities[0, :, None])
    return [" ".join(f"{value:.9g}" for value in row) for row in torch.cat(columns, 1).tolist()]


def _notes(splats: Splats, header: Header | None) -> str:
    """The header of splat files, how many splats there are, and the background to nine digits."""
    plain = Header.of(splats, signed=False)
    if header is None:
        header = plain
    header = replace(header, canvas=plain.canvas, blending="sum", output="clamp", conditions=None)
    own = {"num_splats": splats.num_splats, "background": [float(f"{v:.9g}") for v in splats.background[0].tolist()]}
    return json.dumps(json.loads(header.to_json()) | own, sort_keys=True)


def _rgb(fill: Int64[Tensor, " 3"]) -> str:
    return "#" + "".join(f"{level:02x}" for level in fill.tolist())
