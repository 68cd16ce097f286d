"""The published encoders as settings, so that ours is compared with what they do and not with what we remember.

"followup-mnist" and "followup-cifar10" are the public repository's last encoder with the constants of the commands
that encoded its data sets: dense drawing by PyTorch, parameters through sigmoid and tanh, a start by brightness,
squared error, Adam. The best set so far is what counts, on MNIST too, where the original keeps the last.

"paper" is the paper's own encoder: sums of w_i c_i N(x; mu_i, Sigma_i) with N = 150, fitted by L1 + DSSIM (eqs. 1 to
3). The paper gives no more, and its public code fits squared errors. Chosen here: 0.8 L1 + 0.2 (1 - SSIM) as in "3D
Gaussian Splatting", Adam at 0.02 falling along half a cosine over 1000 steps, Sigma in pixels with sigmas and w_i
through exp, round starts of one pixel placed by brightness. The decoder's "alpha blending", named elsewhere in the
paper, is not in its eq. 2 and not here.

Source: Coessens & Samal, "GaussianDiffusion: Learning Image Generation Process in GaussianRepresentation Space",
SP4V workshop at ICCV 2025; github.com/simoncoessens/GaussianDiffusion, commit fe9b6b6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import psnr
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.published.drawing import draw, is_direct, to_splats
from gaussiandiffusion.published.ssim import ssim_map
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.splats import Output

START_SIGMA, START_ALPHA, REBORN_ALPHA = -1.5, 0.0, -2.0  # before the sigmoid
COLOURS = (0.05, 0.95)  # a start's colours are kept off 0 and 1, where the sigmoid has no inverse
EDGE = 1 - 1e-6  # likewise its positions
FINAL_RATE = 1e-5


@dataclass(frozen=True)
class PublishedSettings:
    """What a published encoder does.

    Args:
        num_splats: K.
        iterations: Adam steps at most.
        learning_rate: Adam's; its betas and epsilon are PyTorch's defaults.
        cycles: times the rate falls along half a cosine to 1e-5 and starts again; 0: it stays.
        kernel_size: picks the drawing path (see `published_drawing`); None: the paper's normalised Gaussians.
        output: "clamp" or "soft".
        dssim: share of 1 - SSIM in the loss, the rest is L1; None: squared error.
        recycle_every: steps after which splats whose centre lies on a pixel darker than `recycle_below` are put where
            the picture is too dark; 0: never.
        stop_error: mean squared error below which an image is done.
    """

    num_splats: int
    iterations: int
    learning_rate: float
    cycles: int = 0
    kernel_size: int | None = None
    output: Output = "clamp"
    dssim: float | None = None
    recycle_every: int = 0
    recycle_below: float = 0.05
    stop_error: float = 0.0

    def __post_init__(self) -> None:
        if self.num_splats < 1 or self.iterations < 0:
            raise InputError(
                f"a fit needs at least 1 splat and 0 iterations, not {self.num_splats} and {self.iterations}"
            )
        if self.kernel_size is not None and self.kernel_size < 2:
            raise InputError(f"the kernel size must be at least 2, not {self.kernel_size}")


PUBLISHED: dict[str, PublishedSettings] = {
    "followup-mnist": PublishedSettings(70, 3000, 5e-3, cycles=3, kernel_size=11, recycle_every=300, stop_error=1e-4),
    "followup-cifar10": PublishedSettings(500, 3000, 4e-2, kernel_size=32, output="soft", stop_error=1e-5),
    "paper": PublishedSettings(150, 1000, 2e-2, cycles=1, dssim=0.2),
}


@dataclass(frozen=True)
class PublishedFit:
    """Sets that a published encoder fitted, each as it was when its loss was least.

    Args:
        sets: rows [sigma_x, sigma_y, rho, alpha, colours, x, y] as `published_drawing` takes them; for the paper's
            kernel the sigmas are in pixels and w_i stands in alpha's place.
        pictures: the sets as the published renderer draws them, in [0, 1].
        psnr: of each picture against its 8-bit image, dB; at most 100.
        iterations: steps that each image took.
        splats: `Splats` that redraw the pictures; None for the grid path, where there are none.
    """

    sets: Float[Tensor, "n k f"]
    pictures: Float[Tensor, "n c h w"]
    psnr: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    splats: Splats | None


def fit_published(
    images: UInt8[ndarray, "n c h w"],
    settings: PublishedSettings,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    iterations: int | None = None,
    first: int = 0,
    callback: Callable[[int, ndarray], bool | None] | None = None,
) -> PublishedFit:
    """Fit all images side by side, float32; memory grows with images x splats x pixels.

    Args:
        images: 8-bit pixels, both sides >= 2.
        settings: one of `PUBLISHED`, or a variation.
        seed: with an image's number, what its start is drawn from; how the images are batched does not matter.
        iterations: instead of the settings' (the rate's schedule is stretched along).
        first: number of the first image.
        callback: given the steps taken and the PSNR (dB) of every image so far, after each step; True ends the fit.

    Raises:
        InputError: no images, or such that are not 8-bit (N, C, H, W) of at least 2x2 pixels.
    """
    canvas = _canvas(images)
    if iterations is not None:
        settings = replace(settings, iterations=iterations)
    target = torch.from_numpy(np.ascontiguousarray(images)).to(device).float() / 255
    randoms = [generator_for(seed, first + i) for i in range(len(images))]
    raw = torch.stack([_start(image, settings, random) for image, random in zip(target, randoms, strict=True)])
    raw.requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=settings.learning_rate)

    best = raw.detach().clone()
    least = target.new_full((len(images),), math.inf)
    error = least.clone()
    taken = torch.zeros(len(images), dtype=torch.int64, device=target.device)
    active = torch.ones_like(taken, dtype=torch.bool)
    for step in range(settings.iterations + 1):
        picture = _draw(_values(raw, settings), canvas, settings)
        losses = _losses(picture, target, settings.dssim)  # (n,)
        with torch.no_grad():
            better = active & (losses < least)
            best[better], least[better] = raw[better], losses[better]
            error[better] = (picture - target).square().mean((1, 2, 3))[better]
            taken[active] = step
            active &= error >= settings.stop_error
        ended = callback is not None and callback(step, psnr(error.cpu().numpy()))
        if ended or step == settings.iterations or not bool(active.any()):
            break
        optimizer.param_groups[0]["lr"] = _rate(settings, step)
        optimizer.zero_grad()
        (losses * active).sum().backward()
        optimizer.step()
        if settings.recycle_every and (step + 1) % settings.recycle_every == 0:
            _recycle(raw, optimizer, target, canvas, settings, active, randoms)

    with torch.no_grad():
        sets = _values(best, settings)
        pictures = _draw(sets, canvas, settings)
    return PublishedFit(
        sets, pictures, torch.from_numpy(psnr(error.cpu().numpy())), taken, _splats(sets, canvas, settings)
    )


def _canvas(images: ndarray) -> Canvas:
    if images.ndim != 4 or images.dtype != np.uint8:
        raise InputError(f"images must be uint8 of shape (N, C, H, W), not {images.dtype} {images.shape}")
    if len(images) == 0:
        raise InputError("no images given; pass at least one")
    if min(images.shape[2:]) < 2:
        raise InputError(f"the published encoders need at least 2x2 pixels, not {images.shape[2]}x{images.shape[3]}")
    return Canvas(images.shape[2], images.shape[3], images.shape[1])


def _rate(settings: PublishedSettings, step: int) -> float:
    if not settings.cycles:
        return settings.learning_rate
    period = max(1, settings.iterations // settings.cycles)
    fall = (1 + math.cos(math.pi * (step % period) / period)) / 2
    return FINAL_RATE + (settings.learning_rate - FINAL_RATE) * fall


def _losses(picture: Tensor, target: Tensor, dssim: float | None) -> Float[Tensor, " n"]:
    if dssim is None:
        return (picture - target).square().mean((1, 2, 3))
    absolute = (picture - target).abs().mean((1, 2, 3))
    return (1 - dssim) * absolute + dssim * (1 - ssim_map(picture, target).mean((1, 2, 3)))


# --- parameters --------------------------------------------------------------------------------------------------
def _values(raw: Float[Tensor, "n k f"], settings: PublishedSettings) -> Float[Tensor, "n k f"]:
    """Rows as drawn, from the unbounded ones that Adam moves."""
    bounded = settings.kernel_size is not None
    sigmas = raw[..., :2].sigmoid() if bounded else raw[..., :2].exp()
    weights = raw[..., 3:4].sigmoid() if bounded else raw[..., 3:4].exp()
    return torch.cat([sigmas, raw[..., 2:3].tanh(), weights, raw[..., 4:-2].sigmoid(), raw[..., -2:].tanh()], -1)


def _rows(
    image: Float[Tensor, "c h w"], density: Float[Tensor, "h w"], count: int, alpha: float, random: torch.Generator
) -> Float[Tensor, "k f"]:
    """Round splats in the colours of `count` pixels drawn from `density`, with replacement; before the sigmoid."""
    _, height, width = image.shape
    chosen = torch.multinomial(density.flatten().cpu(), count, replacement=True, generator=random).to(image.device)
    y, x = (chosen // width) / (height - 1) * 2 - 1, (chosen % width) / (width - 1) * 2 - 1
    places = torch.stack([-x, -y], -1).clamp(-EDGE, EDGE).atanh()  # drawn at (-x, -y)
    colours = image.flatten(1)[:, chosen].T.clamp(*COLOURS).logit()
    shape = image.new_tensor([START_SIGMA, START_SIGMA, 0, alpha]).expand(count, 4)
    return torch.cat([shape, colours, places], -1)


def _start(image: Float[Tensor, "c h w"], settings: PublishedSettings, random: torch.Generator) -> Float[Tensor, "k f"]:
    """Splats where the image is bright."""
    brightness = image.mean(0)
    if float(brightness.sum()) < 1e-7:
        brightness = torch.ones_like(brightness)
    rows = _rows(image, brightness, settings.num_splats, START_ALPHA, random)
    if settings.kernel_size is None:
        # One pixel wide; equal weights that give the picture its light, since every kernel sums to 1 over the pixels.
        rows[:, :2] = 0
        light = image.mean(0).sum() / rows[:, 4:-2].sigmoid().mean(-1).sum()
        rows[:, 3] = light.clamp_min(1e-3).log()
    return rows


@torch.no_grad()
def _recycle(
    raw: Tensor,
    optimizer: torch.optim.Optimizer,
    target: Float[Tensor, "n c h w"],
    canvas: Canvas,
    settings: PublishedSettings,
    active: Tensor,
    randoms: list[torch.Generator],
) -> None:
    """Put splats that lie on dark pixels where the picture is too dark, and forget their momenta."""
    values = _values(raw, settings)
    size = values.new_tensor([canvas.width - 1, canvas.height - 1])
    column, row = ((1 - values[..., -2:]) / 2 * size).long().unbind(-1)  # (n, k) each
    under = target.mean(1).flatten(1).gather(1, row * canvas.width + column)
    dead = (under < settings.recycle_below) & active[:, None]
    missing = (target - _draw(values, canvas, settings)).clamp_min(0).mean(1)  # (n, h, w)
    state = optimizer.state[raw]
    for i in dead.any(1).nonzero()[:, 0].tolist():
        if float(missing[i].sum()) > 0:
            raw[i, dead[i]] = _rows(target[i], missing[i], int(dead[i].sum()), REBORN_ALPHA, randoms[i])
            for moment in ("exp_avg", "exp_avg_sq"):
                state[moment][i, dead[i]] = 0


# --- drawing -----------------------------------------------------------------------------------------------------
def _draw(sets: Tensor, canvas: Canvas, settings: PublishedSettings) -> Float[Tensor, "n c h w"]:
    if settings.kernel_size is None:
        return render(_normalised(sets, canvas, settings.output), backend="reference")
    return draw(sets, canvas, kernel_size=settings.kernel_size, output=settings.output)


def _splats(sets: Tensor, canvas: Canvas, settings: PublishedSettings) -> Splats | None:
    if settings.kernel_size is None:
        return _normalised(sets, canvas, settings.output)
    if is_direct(canvas, settings.kernel_size):
        return to_splats(sets, canvas, kernel_size=settings.kernel_size, output=settings.output)
    return None


def _normalised(sets: Float[Tensor, "n k f"], canvas: Canvas, output: Output) -> Splats:
    """The paper's eqs. 2 and 3: weight w_i c_i / (2 pi sqrt|Sigma_i|), Sigma_i in pixels."""
    rho = sets[..., 2].clamp(-0.999, 0.999)
    area = 2 * math.pi * sets[..., :2].prod(-1) * (1 - rho.square()).sqrt()
    size = sets.new_tensor([canvas.width - 1, canvas.height - 1])
    colors = sets[..., 4:-2] * (sets[..., 3] / area)[..., None]
    means = -sets[..., -2:] * size / canvas.longer_side
    return Splats(means, sets[..., :2] / canvas.pixels_per_unit, rho, colors, canvas, output=output)
