"""How samples show themselves: in a line of text, as a picture, and in notebooks with a slider over their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.rendering import render
from gaussiandiffusion.rendering.media import grid_image
from gaussiandiffusion.rendering.notebook import MOST_SHOWN, pictures_grid, png, sets_png, slider_page, tile_side
from gaussiandiffusion.splats import Splats

if TYPE_CHECKING:
    from gaussiandiffusion.pipeline.output import GaussianDiffusionOutput, SampleState

IN_MOTION = 9  # samples on the page with the slider, which holds every picture of them
MOST_FRAMES = 33
WIDTH = 224  # pixels of that page's pictures
BESIDE = 8  # samples of a state
STATE_WIDTH = 384  # pixels of so many


def words(out: GaussianDiffusionOutput) -> str:
    """One line on what there is."""
    images = out.images
    if isinstance(images, list):
        what = f"{len(images)} PIL images" + (f" of {images[0].height}x{images[0].width}" if images else "")
    else:
        kind = "tensor" if isinstance(images, Tensor) else "array"
        what = f"images: {kind} [{', '.join(map(str, images.shape))}]"
    parts = [what]
    if out.splats is not None:
        parts.append(f"splats: {len(out.splats)} sets of {out.splats.num_splats}")
    if out.conditions is not None:
        parts.append(f"conditions: {', '.join(out.conditions.spec.attributes)}")
    if out.trajectory is not None:
        parts.append(f"trajectory of {len(out.trajectory)} states")
    return f"GaussianDiffusionOutput({', '.join(parts)})"


def output_png(out: GaussianDiffusionOutput) -> bytes | None:
    """The first samples as a grid: drawn anew from their sets where they have some; None where there are none."""
    if out.splats is not None:
        return sets_png(out.splats)
    images = nchw(out.images)
    return png(pictures_grid(images)) if len(images) else None


def output_page(out: GaussianDiffusionOutput) -> str | None:
    """With a trajectory, its states of the first samples under a slider; None without one."""
    states = out.trajectory
    if not states or not len(states[0]):
        return None
    chosen = np.unique(np.linspace(0, len(states) - 1, min(len(states), MOST_FRAMES)).round().astype(int)).tolist()
    pictures = [pictures_grid(_drawn(states[index])) for index in chosen]
    return slider_page(pictures, [f"step {index} of {len(states) - 1}" for index in chosen])


def state_png(state: SampleState) -> bytes | None:
    """The first samples as they are, and below them what they would be if the estimate were true."""
    size = max(1, STATE_WIDTH // BESIDE) if state.splats is not None else None
    rows = [state.images(size)[:BESIDE], state.clean_images(size)[:BESIDE]]
    if not len(rows[0]):
        return None
    return png(grid_image(to_uint8(torch.cat(rows).clamp(0, 1)), len(rows[0])))


def nchw(images: Any) -> Float[Tensor, "n c h w"]:
    """Images of any of the output types as a tensor."""
    if isinstance(images, Tensor):
        return images
    if isinstance(images, np.ndarray):
        return torch.from_numpy(images).permute(0, 3, 1, 2)
    arrays = [np.asarray(image, np.float32) / 255 for image in images]
    tensors = [torch.from_numpy(each[..., None] if each.ndim == 2 else each).permute(2, 0, 1) for each in arrays]
    return torch.stack(tensors) if tensors else torch.zeros(0, 1, 1, 1)


def _drawn(shown: Splats | Tensor) -> Float[Tensor, "n c h w"]:
    count = min(len(shown), IN_MOTION, MOST_SHOWN)
    with torch.no_grad():
        if isinstance(shown, Tensor):
            return shown[:count].clamp(0, 1)
        return render(shown[:count], tile_side(count, WIDTH))
