"""How the published system draws a set, and what such a set is among `Splats`.

Its sets are arrays of rows [sigma_x, sigma_y, rho, alpha, colour(s), x, y]. They differ from ours in these points:

- the first and last pixel *centres* are at -1 and 1, and a Gaussian stored at (x, y) is drawn at (-x, -y);
- alpha, the opacity, is not used;
- every Gaussian is divided by its largest value over the pixels, so one thinner than a pixel still gives its nearest
  pixel its whole colour.

There are two paths. *Direct*, for kernels as large as the image, evaluates the Gaussians at the pixels, with sigmas
in fifths of a unit: an exact set of `Splats` exists. *Grid*, for smaller kernels, fills a kernel_size x kernel_size
table over [-5, 5]^2, sigma_x along the rows and sigma_y along the columns, pads it to the image and shifts it
bilinearly; nothing is drawn outside the table. A shifted table is no Gaussian, so no exact `Splats` exist.

Source: Coessens & Samal, "GaussianDiffusion", 2025, and the files of its follow-up.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering.grid import to_picture
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.splats import Output

UNITS = 5.0  # half-width of the published kernel, in the units of its sigmas
FLATTEST = 1e-6  # least 1 - rho^2 that is drawn
VALUES = 2**23  # rows of pixels by Gaussians, at once
LARGEST_EXPONENT = 80.0  # exp of it is still far from float32's end


def is_direct(canvas: Canvas, kernel_size: int) -> bool:
    """Whether the direct path draws this kernel: it is as large as the image's shorter side."""
    return kernel_size >= min(canvas.height, canvas.width)


def draw(
    sets: Float[Tensor, "n k f"], canvas: Canvas, *, kernel_size: int, output: Output = "clamp"
) -> Float[Tensor, "n c h w"]:
    """Pictures of published sets, in [0, 1]; differentiable.

    Args:
        sets: rows [sigma_x, sigma_y, rho, alpha, C colours, x, y], values as drawn (not before sigmoid or tanh).
        canvas: size and channels of the pictures; both sides >= 2 pixels.
        kernel_size: decides the path; the follow-up's is 11 for MNIST (grid) and 32 for CIFAR-10 (direct).
        output: "clamp" (MNIST) or "soft" (CIFAR-10).

    Raises:
        InputError: rows that do not hold the canvas's channels, or a canvas one pixel wide or high.
    """
    _check(sets, canvas)
    path = _direct(sets, canvas) if is_direct(canvas, kernel_size) else _grid(sets, canvas, kernel_size)
    total = torch.einsum("nkp,nkc->ncp", path.flatten(2), sets[..., 4:-2])
    return to_picture(total.unflatten(-1, (canvas.height, canvas.width)), output)


def to_splats(sets: Float[Tensor, "n k f"], canvas: Canvas, *, kernel_size: int, output: Output = "clamp") -> Splats:
    """Published sets of the direct path as `Splats` that redraw the same pictures on the same canvas.

    A Gaussian's division by its value at the nearest pixel becomes a factor of its colour. So at other sizes than
    the canvas's, Gaussians much thinner than a pixel are drawn brighter than the published renderer would; and where
    no pixel lies within 12.6 sigmas, the factor is held at e^80 and the Gaussian is lost. So is one with |rho| = 1,
    which is no Gaussian but an endless ridge.

    Raises:
        InputError: as `draw`; or the grid path, whose shifted tables are no Gaussians.
    """
    _check(sets, canvas)
    if not is_direct(canvas, kernel_size):
        raise InputError(
            f"kernel size {kernel_size} on {canvas.height}x{canvas.width} pixels draws bilinearly shifted tables, not "
            "Gaussians; draw the sets and encode the pictures"
        )
    pixels = sets.new_tensor([canvas.width - 1, canvas.height - 1])  # between the outermost centres
    rhos = sets[..., 2].clamp(-1 + torch.finfo(sets.dtype).eps, 1 - torch.finfo(sets.dtype).eps)
    flatness = (1 - rhos) * (1 + rhos)
    wider = (flatness.clamp_min(FLATTEST) / flatness).sqrt()  # the published limit on rho, said in sigmas
    sigmas = sets[..., :2] / UNITS * wider[..., None] * pixels / canvas.longer_side
    colors = sets[..., 4:-2] * peak_factors(sets, canvas)[..., None]
    return Splats(-sets[..., -2:] * pixels / canvas.longer_side, sigmas, rhos, colors, canvas, output=output)


def peak_factors(sets: Float[Tensor, "n k f"], canvas: Canvas) -> Float[Tensor, "n k"]:
    """One over each Gaussian's value at the pixel where it is largest, at most e^80: the direct path's own factor.

    Along a row of pixels the exponent is a parabola, so that its largest value is beside the parabola's top.
    """
    at_once = max(1, VALUES // (sets.shape[1] * canvas.height))
    return torch.cat([_peak_factors(part, canvas) for part in sets.split(at_once)])


def _peak_factors(sets: Float[Tensor, "n k f"], canvas: Canvas) -> Float[Tensor, "n k"]:
    sigma_x, sigma_y, rho = (sets[..., i, None] for i in range(3))  # (n, k, 1) each
    x, y = sets[..., -2, None], sets[..., -1, None]
    v = (_centres(sets, canvas.height) + y) * (UNITS / sigma_y)  # (n, k, h)
    step = 2 / (canvas.width - 1)
    top = ((rho * v * sigma_x / UNITS - x + 1) / step).clamp(0, canvas.width - 1).floor()
    flatness = (1 - rho.square()).clamp_min(FLATTEST)
    largest = sets.new_full(sets.shape[:2], -torch.inf)
    for column in (top, (top + 1).clamp_max(canvas.width - 1)):
        u = (column * step - 1 + x) * (UNITS / sigma_x)
        exponents = (u.square() - 2 * rho * u * v + v.square()) / (-2 * flatness)
        largest = torch.maximum(largest, exponents.amax(-1))
    return torch.exp(-largest.clamp_min(-LARGEST_EXPONENT))


def _centres(sets: Tensor, count: int) -> Float[Tensor, " count"]:
    """Pixel centres along a side."""
    return torch.linspace(-1, 1, count, dtype=sets.dtype, device=sets.device)


def _direct(sets: Tensor, canvas: Canvas) -> Float[Tensor, "n k h w"]:
    exponents = _exponents(sets, canvas)
    return torch.exp(exponents - exponents.amax((-2, -1), keepdim=True))


def _exponents(sets: Tensor, canvas: Canvas) -> Float[Tensor, "n k h w"]:
    """-1/2 Mahalanobis^2 of every Gaussian of the direct path at every pixel."""
    sigma_x, sigma_y, rho = (sets[..., i, None, None] for i in range(3))  # (n, k, 1, 1) each
    x, y = (sets[..., i, None, None] for i in (-2, -1))
    across = _centres(sets, canvas.width)
    down = _centres(sets, canvas.height)[:, None]
    u = (across + x) * (UNITS / sigma_x)  # (n, k, 1, w)
    v = (down + y) * (UNITS / sigma_y)  # (n, k, h, 1)
    return (u.square() - 2 * rho * u * v + v.square()) / (-2 * (1 - rho.square()).clamp_min(FLATTEST))


def _grid(sets: Tensor, canvas: Canvas, size: int) -> Float[Tensor, "n k h w"]:
    n, k, _ = sets.shape
    height, width = canvas.height, canvas.width
    variance_x, variance_y = sets[..., :2].square().unbind(-1)
    covariance = sets[..., :2].prod(-1) * sets[..., 2]
    # One degenerate Gaussian widens all of its set.
    degenerate = (variance_x * variance_y - covariance.square() <= 0).any(-1, keepdim=True)
    variance_x, variance_y = variance_x + FLATTEST * degenerate, variance_y + FLATTEST * degenerate
    determinant = variance_x * variance_y - covariance.square()
    rows = torch.linspace(-UNITS, UNITS, size, dtype=sets.dtype, device=sets.device)[:, None]
    columns = rows.T
    form = [term[..., None, None] for term in (variance_y, covariance, variance_x, determinant)]
    exponents = (form[0] * rows.square() - 2 * form[1] * rows * columns + form[2] * columns.square()) / (-2 * form[3])
    table = torch.exp(exponents - exponents.amax((-2, -1), keepdim=True))  # (n, k, size, size)
    left, top = (width - size) // 2, (height - size) // 2
    padded = F.pad(table, (left, width - size - left, top, height - size - top))
    # Sampling at pixel + (x, y) moves what is seen by -(x, y); outside the image there is nothing.
    across = _centres(sets, width) + sets[..., -2, None]  # (n, k, w)
    down = _centres(sets, height) + sets[..., -1, None]  # (n, k, h)
    shape = (n, k, height, width)
    places = torch.stack([across[..., None, :].expand(shape), down[..., None].expand(shape)], -1)
    return F.grid_sample(padded.view(n * k, 1, height, width), places.flatten(0, 1), align_corners=True).view(shape)


def _check(sets: Tensor, canvas: Canvas) -> None:
    if sets.ndim != 3 or sets.shape[-1] != 6 + canvas.channels:
        raise InputError(
            f"published sets for {canvas.channels} channel(s) have shape (N, K, {6 + canvas.channels}), "
            f"not {tuple(sets.shape)}"
        )
    if min(canvas.height, canvas.width) < 2:
        raise InputError("the published renderers need at least 2x2 pixels: their outermost pixel centres are -1 and 1")
