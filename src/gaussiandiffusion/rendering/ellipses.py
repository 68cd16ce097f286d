"""Splats as the ellipses they are, over the picture that they draw."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering.media import to_image
from gaussiandiffusion.rendering.render import render
from gaussiandiffusion.splats import Canvas, Splats

POINTS = 48  # of an outline
SMOOTH = 3  # lines are drawn so many times larger and scaled down
FAINTEST = 1 / 512  # of a colour: splats below it are not seen, so neither are their outlines
DIMMED = 0.5  # what is left of the picture, so that lines of its own colours stand out


def with_ellipses(splats: Splats, size: int | tuple[int, int] | None = None, *, sigmas: float = 1.0) -> Image.Image:
    """The picture of one set, darkened, with an ellipse around every splat that is seen, in its own colour made bright.

    Args:
        splats: a batch of one set.
        size: height and width in pixels, or the longer side; default: the canvas.
        sigmas: at which the ellipses lie, > 0.

    Returns:
        A picture in RGB.

    Raises:
        InputError: several sets, or a number of sigmas that is none.
    """
    if len(splats) != 1:
        raise InputError(f"ellipses are drawn for one set, not {len(splats)}; pick one: splats[0]")
    if not (sigmas > 0 and math.isfinite(sigmas)):
        raise InputError(f"sigmas must be a number > 0, not {sigmas}")
    splats = splats.detach().to("cpu", torch.float32)
    canvas = splats.canvas.resized(size)
    picture = to_image(to_uint8(render(splats, (canvas.height, canvas.width)))[0])
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    picture = Image.alpha_composite(black, picture.convert("RGBA")).convert("RGB").point(lambda level: level * DIMMED)
    large = Canvas(canvas.height * SMOOTH, canvas.width * SMOOTH, canvas.channels)
    lines = Image.new("RGBA", (large.width, large.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(lines)
    outlines, colors = ellipse_outlines(splats, large, sigmas).tolist(), _line_colors(splats).tolist()
    for outline, color in zip(outlines, colors, strict=True):
        if color[3]:
            draw.line([(x, y) for x, y in outline], tuple(color), SMOOTH)
    lines = lines.resize(picture.size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), lines).convert("RGB")


def ellipse_outlines(splats: Splats, canvas: Canvas, sigmas: float = 1.0) -> Float[Tensor, "k p 2"]:
    """Closed outlines of one set's ellipses, in pixels (x, y) of `canvas` from its upper left corner."""
    angles = torch.linspace(0, 2 * math.pi, POINTS)
    circle = torch.stack([angles.cos(), angles.sin()], -1) * sigmas  # (p, 2)
    axes = torch.linalg.cholesky(splats.covariances[0].double()).to(circle)
    centre = circle.new_tensor([canvas.width, canvas.height]) / 2
    return (circle @ axes.transpose(1, 2) + splats.means[0, :, None]) * canvas.pixels_per_unit + centre


def _line_colors(splats: Splats) -> Tensor:
    """uint8 [K, 4]: each splat's colour with its largest channel at 255, more opaque the brighter the splat."""
    colors = splats.colors[0, :, :3].abs()
    light = colors.amax(1, keepdim=True)
    seen = light if splats.opacities is None else light * splats.opacities[0, :, None]
    bright = (colors / light.clamp_min(FAINTEST)).expand(-1, 3)
    alpha = torch.where(seen < FAINTEST, 0, 0.35 + 0.65 * seen.clamp(0, 1))
    return (torch.cat([bright.clamp(0, 1), alpha], 1) * 255).round().to(torch.uint8)
