"""The fit as a paper would print it: dense PyTorch with autograd, on any device; what `fit` computes, much slower."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.encoding.allocate import Allocation, reallocate
from gaussiandiffusion.encoding.parameters import COLUMNS, MAX_SLOPE, Schedule

ELEMENTS = 2**24  # splat-pixel pairs held at once


def fit_range(
    images: UInt8[ndarray, "n c h w"],
    parameters: Float[ndarray, "n k f"],
    schedule: Schedule,
    errors: Float[ndarray, " n"],
    device: torch.device | str = "cpu",
    *,
    allocation: Allocation | None = None,
    begun: int | None = None,
) -> None:
    """Fit images side by side, in place; arguments as `fit.fit_range`, and as `large.fit_large` has them.

    Splats are cut at the ellipse of `cutoff` sigmas, the kernel at its bounding box, so the two agree to that and to
    rounding; Adam's nearly sign-like steps then tell them apart by and by.
    """
    pairs = parameters.shape[1] * images.shape[2] * images.shape[3]
    batch = max(1, ELEMENTS // pairs) if allocation is None else 1
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        goal = torch.from_numpy(images[part]).to(device).float() / 255
        rows = torch.from_numpy(parameters[part, :begun]).to(device)
        rows, error = _fit(goal, rows, schedule, allocation, parameters.shape[1])
        parameters[part], errors[part] = rows.cpu().numpy(), error.double().cpu().numpy()


def _fit(
    goal: Float[Tensor, "n c h w"],
    rows: Float[Tensor, "n b f"],
    schedule: Schedule,
    allocation: Allocation | None,
    num_splats: int,
) -> tuple[Float[Tensor, "n k f"], Float[Tensor, " n"]]:
    """Rows and errors in the end; an allocation, of one image, makes K splats of those there are."""
    rates, pulls, low, high = (torch.from_numpy(row).to(goal) for row in schedule[:4])
    start = rows.clone()
    slack = schedule.tolerance
    lowest = (goal - slack).masked_fill(goal <= slack, -math.inf)
    highest = (goal + slack).masked_fill(goal + slack >= 1, math.inf)
    first, second = torch.zeros_like(rows), torch.zeros_like(rows)
    rounds = {} if allocation is None else allocation.at(schedule.iterations)

    def look() -> tuple[Tensor, Tensor]:
        """The picture, and its hinge residual."""
        drawn = draw(rows.requires_grad_(), goal.shape[2], goal.shape[3], schedule.cutoff)
        return drawn, drawn - drawn.clamp(lowest, highest)

    for step in range(schedule.iterations):
        if allocation is not None and step in rounds:
            residual = look()[1]
            (gradient,) = torch.autograd.grad(residual.square().sum() / 2, rows)
            whole, new = reallocate(
                rows[0].detach().cpu().numpy(),
                gradient[0, :, COLUMNS:].cpu().numpy(),
                residual[0].detach().cpu().numpy(),
                grown=rows.shape[1] + round(rounds.pop(step) * (num_splats - rows.shape[1])),
                allocation=allocation,
                num_splats=num_splats,
                signed=bool(low[COLUMNS] < 0),
            )
            added = (0, 0, 0, len(whole) - rows.shape[1])
            first, second, start = (torch.nn.functional.pad(x, added) for x in (first, second, start))
            first[:, new], second[:, new] = 0, 0
            rows = torch.from_numpy(whole)[None].to(goal)
            start[:, new] = rows[:, new]
        drawn, residual = look()
        loss = residual.square().flatten(1).sum(1)  # (n,)
        full = draw(rows.detach(), goal.shape[2], goal.shape[3], math.inf) if schedule.target >= 0 else drawn.detach()
        going = (full.clamp(0, 1) - goal).square().flatten(1).mean(1) > (-1.0 if rounds else schedule.target)
        if not bool(going.any()):
            break
        (gradient,) = torch.autograd.grad(loss.sum() / 2, rows)
        rows = rows.detach()
        first = schedule.beta1 * first + (1 - schedule.beta1) * gradient
        second = schedule.beta2 * second + (1 - schedule.beta2) * gradient.square()
        cosine = 0.5 * (1 + math.cos(math.pi * step / schedule.iterations))
        rate = schedule.lr_end + (1 - schedule.lr_end) * cosine
        mean = first / (1 - schedule.beta1 ** (step + 1))
        root = (second / (1 - schedule.beta2 ** (step + 1))).sqrt() + schedule.epsilon
        moved = (rows - rate * (rates * mean / root + pulls * (rows - start))).clamp(low, high)
        most = MAX_SLOPE * moved[..., 4].exp()  # (n, k)
        moved[..., 3] = moved[..., 3].clamp(-most, most)
        rows = torch.where(going[:, None, None], moved, rows)
        if allocation is not None:
            rows[:, allocation.still] = start[:, allocation.still]
    rows = rows.detach()
    error = (draw(rows, goal.shape[2], goal.shape[3], math.inf).clamp(0, 1) - goal).square().flatten(1).mean(1)
    return rows, error


def draw(rows: Float[Tensor, "n k f"], height: int, width: int, cutoff: float) -> Float[Tensor, "n c h w"]:
    """Sum of the splats that `rows` of parameters describe, in pixels."""
    y, x = (torch.arange(n, dtype=rows.dtype, device=rows.device) for n in (height, width))
    mx, my, log_a, b, log_d = rows[..., :COLUMNS, None, None].unbind(2)  # (n, k, 1, 1) each
    dx, dy = x - mx, y[:, None] - my
    squares = (log_a.exp() * dx + b * dy).square() + (log_d.exp() * dy).square()  # (n, k, h, w)
    weights = torch.exp(-0.5 * squares) * (squares <= cutoff * cutoff)
    return torch.einsum("nkhw,nkc->nchw", weights, rows[..., COLUMNS:])
