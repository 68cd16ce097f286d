"""The fused kernel against the reference in float64, over the whole range of splats."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import accumulate
from gaussiandiffusion.rendering.cpu.accumulate import to_pixels
from gaussiandiffusion.rendering.cpu.compiler import FAST
from gaussiandiffusion.rendering.cpu.emission import emitted, loop
from gaussiandiffusion.rendering.cpu.simd import LANES
from gaussiandiffusion.rendering.cpu.vectors import exp2
from gaussiandiffusion.splats import Canvas, Splats

EPSILON = float(torch.finfo(torch.float32).eps)
CANVASES = st.builds(Canvas, st.integers(1, 40), st.integers(1, 50), st.sampled_from([1, 3, 4]))
NAMES = ("means", "sigmas", "rhos", "colors")


def random_splats(canvas, seed, *, spread=2.5, rho=0.99, count=7):
    """Centres up to half a canvas outside; sigmas from 0.3 pixels over 10^spread; colours of either sign."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(2, count, *shape, generator=g)  # noqa: E731 (shorthand)
    sigmas = 0.3 / canvas.pixels_per_unit * 10 ** (draw(2) * spread)
    return Splats(draw(2) * 3 - 1.5, sigmas, (draw() * 2 - 1) * rho, draw(canvas.channels) * 3 - 1, canvas)


def rounding(splats):
    """What float32 may cost a pixel, as a part of the colours' sum.

    u = a dx + b dy takes three roundings, half an epsilon of its largest term each, and the Gaussian's slope in u is at
    most 0.61: about one epsilon of that term. exp2 adds 2e-7. Random draws use an eighth of it at most.
    """
    canvas = splats.canvas
    reach = canvas.longer_side * 1.3  # pixels from a centre to the farthest pixel
    geometry = to_pixels(splats, canvas)
    return EPSILON * float(geometry[..., 2:].abs().max()) * reach + 1e-6


@hypothesis_settings(max_examples=60, deadline=None)
@given(canvas=CANVASES, seed=st.integers(0, 10**6), cutoff=st.sampled_from([None, 2.0, 3.5]))
def test_any_splats_on_any_canvas_are_drawn_alike(canvas, seed, cutoff):
    splats = random_splats(canvas, seed)
    expected = accumulate(splats.to(torch.float64), backend="reference")
    got = accumulate(splats, cutoff=cutoff, backend="cpu")
    tail = 0.0 if cutoff is None else math.exp(-cutoff * cutoff / 2)
    weight = float(splats.colors.abs().sum(1).max())
    assert float((got - expected).abs().max()) <= (rounding(splats) + tail) * weight


@hypothesis_settings(max_examples=40, deadline=None)
@given(canvas=CANVASES, seed=st.integers(0, 10**6))
def test_any_gradients_are_alike(canvas, seed):
    splats = random_splats(canvas, seed, spread=1.0, rho=0.9)
    weights = torch.randn(
        2, canvas.channels, canvas.height, canvas.width, generator=torch.Generator().manual_seed(seed)
    )
    grads = []
    for dtype, backend in ((torch.float64, "reference"), (torch.float32, "cpu")):
        parameters = [getattr(splats, name).to(dtype).requires_grad_() for name in NAMES]
        total = accumulate(Splats(*parameters, splats.canvas), backend=backend)
        grads.append(torch.autograd.grad((total * weights.to(dtype)).sum(), parameters))
    for name, expected, got in zip(NAMES, *grads, strict=True):
        # Moments that are large far from the centre cancel to the gradient: 1.3e-4 of the largest was the worst of
        # 4000 random draws (6e-5 for PyTorch in float32), while a wrong term costs about all of it. The absolute part
        # is for canvases that hardly any splat touches.
        bound = 1e-3 * float(expected.abs().max()) + 1e-5
        assert float((got - expected).abs().max()) <= bound, name


def test_a_wide_splats_gradient_is_gathered_from_all_its_strips():
    """One splat much wider than a strip: each number of the colour's gradient is a sum over the whole canvas."""
    canvas = Canvas(5, 6 * LANES + 3, 3)
    colors = torch.ones(1, 1, 3, requires_grad=True)
    splats = Splats(torch.zeros(1, 1, 2), torch.full((1, 1, 2), 100.0), torch.zeros(1, 1), colors, canvas)
    accumulate(splats, backend="cpu").sum().backward()
    torch.testing.assert_close(
        colors.grad, torch.full((1, 1, 3), float(canvas.height * canvas.width)), rtol=1e-4, atol=0
    )


@pytest.mark.parametrize("cutoff", [None, 3.5])
@pytest.mark.parametrize("distance", [3.0, 1e4, 3e8, 1e12, 1e30])
def test_splats_off_the_canvas_leave_it_and_their_gradient_empty(distance, cutoff):
    directions = torch.tensor([[[1.0, 0], [-1, 0], [0, 1], [0, -1], [1, 1]]])
    means = (directions * distance).requires_grad_()
    splats = Splats(means, torch.full((1, 5, 2), 0.1), torch.zeros(1, 5), torch.ones(1, 5, 1), Canvas(28, 28))
    total = accumulate(splats, cutoff=cutoff, backend="cpu")
    total.sum().backward()
    # Exponents end at 2^-120, so without a cut a trace of 1e-36 is left.
    assert float(total.detach().abs().max()) < 1e-30
    assert float(means.grad.abs().max()) < 1e-20


@pytest.mark.parametrize("where", ["means", "sigmas"])
def test_splats_that_are_no_numbers_touch_nothing_but_the_picture(make_splats, where):
    """A model that has gone astray: whatever is drawn, no memory beside the picture is written."""
    splats = make_splats(k=40)
    values = splats.tensors()
    values[where] = values[where].clone()
    values[where][:, ::3] = float("nan")
    picture = accumulate(Splats(**values, canvas=splats.canvas), backend="cpu")
    assert picture.shape == (2, 1, 12, 17)


def test_threads_and_strides_change_nothing(make_splats):
    splats = make_splats(n=5, channels=3)
    strided = Splats(
        splats.means.mT.contiguous().mT, splats.sigmas, splats.rhos, splats.colors.mT.contiguous().mT, splats.canvas
    )
    threads = torch.get_num_threads()
    pictures, grads = [], []
    try:
        for each, count in ((splats, 1), (splats, 3), (strided, 1)):
            torch.set_num_threads(count)
            colors = each.colors.clone().requires_grad_()
            picture = accumulate(Splats(each.means, each.sigmas, each.rhos, colors, each.canvas), backend="cpu")
            picture.permute(0, 2, 3, 1).square().sum().backward()
            pictures.append(picture.detach())
            grads.append(colors.grad)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(picture, pictures[0]) for picture in pictures)
    assert all(torch.equal(grad, grads[0]) for grad in grads)


def test_powers_of_two_are_right_to_single_precision():
    from numba import njit

    @emitted
    def all_powers(x, out, count):
        def step(i):
            out.store(i * LANES, exp2(x.load(i * LANES)))

        loop(count, step)

    @njit(**FAST)
    def powers(x, out):
        all_powers(x, out, len(x) // LANES)

    x = np.linspace(-125.9, 0, 20000).astype(np.float32)
    out = np.empty_like(x)
    powers(x, out)
    np.testing.assert_allclose(out, np.exp2(x.astype(np.float64)), rtol=4e-7)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan")])
def test_a_cutoff_of_nothing_is_refused(make_splats, backend, cutoff):
    with pytest.raises(InputError, match="cutoff must be > 0"):
        accumulate(make_splats(), cutoff=cutoff, backend=backend)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_no_sets_give_no_pictures(make_splats, backend):
    assert accumulate(make_splats(channels=3)[0:0], backend=backend).shape == (0, 3, 12, 17)
