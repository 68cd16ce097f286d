"""The published renderers, redone pixel by pixel; and published sets among `Splats`."""

import math

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.drawing import draw, is_direct, to_splats
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas


def random_sets(n, k, channels, seed=0, dtype=torch.float32):
    g = torch.Generator().manual_seed(seed)
    sigmas = torch.rand(n, k, 2, generator=g, dtype=dtype) * 0.9 + 0.05
    rhos = torch.rand(n, k, 1, generator=g, dtype=dtype) * 1.9 - 0.95
    rest = torch.rand(n, k, 1 + channels, generator=g, dtype=dtype)
    places = torch.rand(n, k, 2, generator=g, dtype=dtype) * 1.9 - 0.95
    return torch.cat([sigmas, rhos, rest, places], -1)


def shifted_table(row, size, height, width):
    """One Gaussian of the grid path: a normalised table in a padded image, sampled bilinearly beside each pixel."""
    sigma_x, sigma_y, rho = row[:3]
    covariance = np.array([[sigma_x**2, rho * sigma_x * sigma_y], [rho * sigma_x * sigma_y, sigma_y**2]])
    ticks = np.linspace(-5, 5, size)
    table = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            at = np.array([ticks[i], ticks[j]])  # sigma_x belongs to the rows
            table[i, j] = math.exp(-0.5 * at @ np.linalg.inv(covariance) @ at)
    padded = np.zeros((height + 2, width + 2))  # a border of nothing
    top, left = 1 + (height - size) // 2, 1 + (width - size) // 2
    padded[top : top + size, left : left + size] = table / table.max()
    picture = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y, x = i + row[-1] * (height - 1) / 2 + 1, j + row[-2] * (width - 1) / 2 + 1
            if 0 <= y < height + 1 and 0 <= x < width + 1:
                m, n = int(y), int(x)
                corners = padded[m : m + 2, n : n + 2]
                picture[i, j] = np.array([1 - (y - m), y - m]) @ corners @ np.array([1 - (x - n), x - n])
    return picture


@pytest.mark.parametrize(("size", "height", "width"), [(7, 10, 13), (6, 12, 9), (11, 28, 28)])
def test_the_grid_path_shifts_tables(size, height, width):
    sets = random_sets(1, 3, 1, dtype=torch.float64)
    expected = sum(row[4] * shifted_table(row, size, height, width) for row in sets[0].numpy())
    got = draw(sets, Canvas(height, width, 1), kernel_size=size)
    np.testing.assert_allclose(got[0, 0].numpy(), expected.clip(0, 1), atol=1e-9)


def test_a_degenerate_gaussian_widens_its_own_set_only():
    sets = random_sets(2, 3, 1, dtype=torch.float64)
    alone = draw(sets[1:], Canvas(20, 20, 1), kernel_size=11)
    sets[0, 0, 2] = 1.0
    drawn = draw(sets, Canvas(20, 20, 1), kernel_size=11)
    assert bool(torch.isfinite(drawn).all())
    torch.testing.assert_close(drawn[1:], alone)


@pytest.mark.parametrize("kernel_size", [11, 32])
@pytest.mark.parametrize(("row", "column"), [(3, 20), (17, 9)])
def test_a_gaussian_lies_opposite_to_where_it_is_stored(kernel_size, row, column):
    height, width = 27, 29
    # The grid path's zero is the middle of the table: pixel (height - kernel) // 2 + kernel // 2.
    zero = [(s - 11) // 2 + 5 if kernel_size == 11 else (s - 1) / 2 for s in (height, width)]
    x, y = (zero[1] - column) * 2 / (width - 1), (zero[0] - row) * 2 / (height - 1)
    sets = torch.tensor([[[0.3, 0.3, 0.0, 0.5, 0.7, x, y]]])
    picture = draw(sets, Canvas(height, width, 1), kernel_size=kernel_size)[0, 0]
    assert divmod(int(picture.argmax()), width) == (row, column)
    assert float(picture.max()) == pytest.approx(0.7, abs=1e-4)


def test_the_paths_name_their_axes_differently():
    wide = torch.tensor([[[0.9, 0.1, 0.0, 0.5, 1.0, 0.0, 0.0]]])
    for kernel_size, axis in [(11, 0), (32, 1)]:
        picture = draw(wide, Canvas(28, 28, 1), kernel_size=kernel_size)[0, 0]
        assert int((picture > 0.05).any(1 - axis).sum()) > int((picture > 0.05).any(axis).sum())


@pytest.mark.parametrize("output", ["clamp", "soft"])
@pytest.mark.parametrize("canvas", [Canvas(32, 32, 3), Canvas(9, 21, 1), Canvas(24, 8, 3)], ids=str)
def test_splats_redraw_the_direct_path(canvas, output):
    sets = random_sets(3, 12, canvas.channels)
    sets[:, 0, :2] = 0.1  # thinner than a pixel of the smaller canvases
    for dtype, tolerance in [(torch.float32, 3e-5), (torch.float64, 1e-9)]:
        sets = sets.to(dtype)
        splats = to_splats(sets, canvas, kernel_size=64, output=output).validate()
        expected = draw(sets, canvas, kernel_size=64, output=output)
        torch.testing.assert_close(render(splats, backend="reference"), expected, rtol=0, atol=tolerance)


def test_splats_redraw_what_is_flatter_than_the_published_limit():
    sets = random_sets(1, 1, 1, dtype=torch.float64)
    sets[..., :2], sets[..., 2] = 0.5, 1 - 1e-8  # 1 - rho^2 = 2e-8, drawn as 1e-6
    sets[..., -2:] = 7 / 27  # on a pixel: a ridge this thin may pass between all of them
    splats = to_splats(sets, Canvas(28, 28, 1), kernel_size=28)
    expected = draw(sets, Canvas(28, 28, 1), kernel_size=28)
    torch.testing.assert_close(render(splats, backend="reference"), expected, rtol=0, atol=1e-4)
    assert int((expected > 0.01).sum()) > 1


def test_the_thinnest_stay_finite():
    sets = random_sets(1, 1, 1)
    sets[..., :2], sets[..., -2:] = 1e-4, 0.5  # between pixels, thousands of sigmas from each
    splats = to_splats(sets, Canvas(28, 28, 1), kernel_size=28).validate()
    assert bool(torch.isfinite(render(splats)).all())


def test_drawing_is_differentiable():
    for kernel_size in (5, 9):
        sets = random_sets(1, 2, 1, seed=3, dtype=torch.float64)
        sets[..., 4] *= 0.3  # off the clamp
        moving = sets.requires_grad_()
        assert torch.autograd.gradcheck(
            lambda s, size=kernel_size: draw(s, Canvas(8, 9, 1), kernel_size=size).sum((-1, -2)), moving
        )


def test_what_cannot_be_drawn_or_converted_is_refused():
    with pytest.raises(InputError, match=r"have shape \(N, K, 9\), not \(1, 2, 7\)"):
        draw(random_sets(1, 2, 1), Canvas(8, 8, 3), kernel_size=8)
    with pytest.raises(InputError, match="at least 2x2 pixels"):
        draw(random_sets(1, 2, 1), Canvas(1, 8, 1), kernel_size=8)
    with pytest.raises(InputError, match="not Gaussians"):
        to_splats(random_sets(1, 2, 1), Canvas(28, 28, 1), kernel_size=11)
    assert not is_direct(Canvas(28, 28, 1), 11)
