"""What notebooks show: pictures as PNG, and pages of their own with a slider, which need no network."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering.ellipses import draw_ellipses
from gaussiandiffusion.rendering.media import GAP, grid_image
from gaussiandiffusion.rendering.render import render
from gaussiandiffusion.splats import Splats

WIDTH = 256  # pixels of what is shown: notebooks keep it all
MOST_SHOWN = 36  # pictures
DIMMED = 0.5  # what is left of a picture under ellipses


def sets_png(splats: Splats) -> bytes | None:
    """The first sets, drawn to fill `WIDTH`; None where there are none."""
    if len(splats) == 0 or splats.num_splats == 0:
        return None
    shown = splats[:MOST_SHOWN]
    with torch.no_grad():
        return png(pictures_grid(render(shown, tile_side(len(shown)))))


def plot(splats: Splats, size: int | None = None, *, sigmas: float = 1.0) -> Image.Image:
    """See `Splats.plot`."""
    if len(splats) == 0:
        raise InputError("there is no set to plot")
    shown = splats[:MOST_SHOWN].detach().to("cpu", torch.float32)
    if not (sigmas > 0 and math.isfinite(sigmas)):
        raise InputError(f"sigmas must be a number > 0, not {sigmas}")
    images = render(shown, tile_side(len(shown)) if size is None else size)
    if images.shape[1] == 4:
        images = images[:, :3] * images[:, 3:]  # over black
    outlined = draw_ellipses(to_uint8(images * DIMMED), shown, sigmas=sigmas)
    return _framed(outlined, _columns(len(outlined)), 1)


def tile_side(count: int, width: int = WIDTH) -> int:
    """Longer side of so many pictures that together are `width` wide."""
    return max(1, width // _columns(count) - GAP)


def pictures_grid(images: Float[Tensor, "n c h w"], columns: int | None = None) -> Image.Image:
    """The first pictures side by side, enlarged by whole pixels where they are small; a single one as it is."""
    pixels = to_uint8(images[:MOST_SHOWN])
    columns = columns or _columns(len(pixels))
    scale = max(1, WIDTH // (columns * (max(pixels.shape[-2:]) + GAP)))
    return _framed(pixels, columns, scale)


def _framed(pixels: UInt8[Tensor, "n c h w"], columns: int, scale: int) -> Image.Image:
    """A grid without its rim, so that a single picture is itself."""
    grid = grid_image(pixels, columns, scale)
    return grid.crop((GAP * scale, GAP * scale, grid.width - GAP * scale, grid.height - GAP * scale))


def png(picture: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def slider_page(frames: Sequence[Image.Image], captions: Sequence[str]) -> str:
    """HTML that shows one of many pictures, chosen by a slider; the last one first, also where scripts do not run.

    All pictures are one strip in one file, of which a part is seen; where styles are taken out, as on sites that show
    notebooks, the strip is. Nothing has a name, so a page may hold many.

    Args:
        frames: pictures of one size and mode, >= 1.
        captions: of each.
    """
    width, height = frames[0].size
    strip = Image.new(frames[0].mode, (width, height * len(frames)))
    for index, frame in enumerate(frames):
        strip.paste(frame, (0, index * height))
    packed = io.BytesIO()
    strip.save(packed, "WEBP", quality=85, method=6)  # a fifth of a PNG: noise packs badly
    data, last = base64.b64encode(packed.getvalue()).decode(), len(frames) - 1
    words = html.escape("|".join(caption.replace("|", "/") for caption in captions))
    moved = (
        "var p=this.parentNode;"
        f"p.firstChild.style.objectPosition='0 '+(-{height}*this.value)+'px';"
        "p.lastChild.textContent=this.dataset.captions.split('|')[this.value]"
    )
    return (
        f'<div style="width:{width}px;font:13px sans-serif">'
        f'<img src="data:image/webp;base64,{data}" alt="{len(frames)} states" style="display:block;width:{width}px;'
        f'max-width:none;height:{height}px;margin:0;object-fit:none;object-position:0 {-height * last}px">'
        f'<input type="range" min="0" max="{last}" value="{last}" data-captions="{words}" oninput="{moved}" '
        f'style="width:100%;margin:4px 0" aria-label="step"><div>{html.escape(captions[-1])}</div></div>'
    )


def _columns(count: int) -> int:
    return count if count <= 3 else math.ceil(math.sqrt(count))
