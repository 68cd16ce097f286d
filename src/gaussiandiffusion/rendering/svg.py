"""Splats as SVG: one soft ellipse each, added up by the viewer."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_bytes
from gaussiandiffusion.rendering.render import FOOTPRINT
from gaussiandiffusion.splats import Splats

REACH = FOOTPRINT  # sigmas drawn
STOPS = 12
BRIGHT_ENOUGH = 1 / 512  # of a colour, below which a splat cannot change an 8-bit pixel


def to_svg(splats: Splats, path: str | os.PathLike[str], *, size: int | None = None) -> None:
    """Write one set as an SVG whose ellipses add up (`mix-blend-mode: plus-lighter`).

    A splat becomes a unit circle filled with a radial gradient that samples the Gaussian, under the linear map that
    its covariance is. Browsers draw it; viewers without plus-lighter show ellipses over each other instead. Colours
    above 1 are drawn as several layers.

    Args:
        splats: a batch of one set, blending "sum", output "clamp", colours >= 0.
        path: the file to write.
        size: longer side in pixels; default: the canvas. The drawing scales to any size.

    Raises:
        InputError: more than one set, or sets that SVG's adding cannot draw.
    """
    if len(splats) != 1:
        raise InputError(f"{path}: an SVG shows one set, not {len(splats)}; pick one: splats[0]")
    if splats.canvas.channels == 4:
        raise InputError(f"{path}: SVG's adding has no transparency; encode the picture as RGB")
    if splats.blending != "sum" or splats.output != "clamp":
        raise InputError(f'{path}: SVG can draw summed splats with output "clamp" only; render them as PNG')
    if bool((splats.colors < 0).any()):
        raise InputError(f"{path}: SVG cannot draw negative colours; encode without --signed")
    canvas = splats.canvas.resized(size)
    splats = splats.detach().to("cpu", torch.float64)
    scale = canvas.pixels_per_unit
    centre = splats.means.new_tensor([canvas.width, canvas.height]) / 2
    means = splats.means[0] * scale + centre
    axes = torch.linalg.cholesky(splats.covariances[0]) * scale * REACH  # unit circle -> ellipse
    colors = splats.colors[0]
    if splats.opacities is not None:
        colors = colors * splats.opacities[0, :, None]
    stops = []
    for i in range(STOPS + 1):
        value = math.exp(-0.5 * (REACH * i / STOPS) ** 2) if i < STOPS else 0.0
        stops.append(f'<stop offset="{i / STOPS:.4f}" stop-color="#fff" stop-opacity="{value:.4f}"/>')
    shapes = []
    for (x, y), axis, color in zip(means.tolist(), axes.tolist(), colors.tolist(), strict=True):
        if max(color) < BRIGHT_ENOUGH:
            continue
        (a, _), (b, d) = axis
        layers = max(1, math.ceil(max(color)))
        fill = _rgb([c / layers for c in color])
        shape = (
            f'<g transform="matrix({a:.4f} {b:.4f} 0 {d:.4f} {x:.4f} {y:.4f})">'
            f'<circle r="1" fill="{fill}" mask="url(#m)"/></g>'
        )
        shapes += [shape] * layers
    background = _rgb(splats.background[0].tolist())
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}" '
        f'viewBox="0 0 {canvas.width} {canvas.height}">\n'
        f'<defs><radialGradient id="g">{"".join(stops)}</radialGradient>'
        '<mask id="m" maskUnits="userSpaceOnUse" x="-1" y="-1" width="2" height="2">'
        '<circle r="1" fill="url(#g)"/></mask></defs>\n'
        "<style>g{mix-blend-mode:plus-lighter}svg{isolation:isolate}</style>\n"
        f'<rect width="100%" height="100%" fill="{background}"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )
    write_bytes(Path(path), text.encode())


def _rgb(color: list[float]) -> str:
    red, green, blue = (color * 3 if len(color) == 1 else color)[:3]
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, c))):02x}" for c in (red, green, blue))
