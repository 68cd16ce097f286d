"""The reference and the fused kernel: one definition, values and gradients."""

import math

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import accumulate, reference, render
from gaussiandiffusion.splats import Canvas, Splats

CANVASES = [(12, 17, 1), (28, 28, 1), (9, 40, 3), (33, 5, 4), (1, 1, 1)]
NAMES = ("means", "sigmas", "rhos", "colors")


def with_grad(splats):
    parameters = {name: getattr(splats, name).clone().requires_grad_() for name in NAMES}
    return Splats(**parameters, canvas=splats.canvas, blending=splats.blending), list(parameters.values())


@pytest.mark.parametrize("canvas", CANVASES, ids=str)
def test_kernel_and_reference_agree_in_values_and_gradients(make_splats, canvas):
    splats, parameters = with_grad(make_splats(3, 20, *canvas))
    weights = torch.randn(3, canvas[2], *canvas[:2], generator=torch.Generator().manual_seed(1))
    results = []
    for backend in ("reference", "cpu"):
        total = accumulate(splats, backend=backend)
        results.append([total, *torch.autograd.grad((total * weights).sum(), parameters)])
    for expected, got in zip(*results, strict=True):
        # float32 sums of up to 20 splats and 784 pixels in another order, exp2 to 2e-7: a few 1e-6 of the largest.
        torch.testing.assert_close(got, expected, rtol=0, atol=2e-5 * float(expected.detach().abs().max()))


@pytest.mark.parametrize("canvas", CANVASES, ids=str)
def test_a_cutoff_costs_at_most_its_tail(make_splats, canvas):
    splats = make_splats(3, 20, *canvas)
    exact = accumulate(splats, backend="reference")
    tail = math.exp(-(3.5**2) / 2) * splats.colors.sum(1).max()  # 0.0022 of every splat's colour
    for backend in ("reference", "cpu"):
        cut = accumulate(splats, cutoff=3.5, backend=backend)
        assert float((cut - exact).abs().max()) <= float(tail) + 1e-5
    # The kernel draws whole boxes, so it misses no more than the reference does.
    missed = {b: float((accumulate(splats, cutoff=2.0, backend=b) - exact).abs().sum()) for b in ("reference", "cpu")}
    assert missed["cpu"] <= missed["reference"] + 1e-4


@pytest.mark.parametrize("blending", ["sum", "alpha"])
def test_reference_gradients_against_finite_differences(make_splats, blending):
    splats, parameters = with_grad(make_splats(1, 3, 5, 4, 3, dtype=torch.float64, blending=blending))

    def draw(*values):
        return accumulate(Splats(*values, canvas=splats.canvas, blending=blending), backend="reference")

    assert torch.autograd.gradcheck(draw, parameters)


def test_kernel_gradients_against_finite_differences(make_splats):
    splats, parameters = with_grad(make_splats(1, 4, 11, 14, 3))
    weights = torch.randn(1, 3, 11, 14, generator=torch.Generator().manual_seed(1))
    grads = torch.autograd.grad((accumulate(splats, backend="cpu") * weights).sum(), parameters)
    step = 1e-2  # float32: rounding of about 1e-6 / step against a truncation of step^2
    for name, grad in zip(NAMES, grads, strict=True):
        value = getattr(splats, name).detach()
        direction = torch.randn(value.shape, generator=torch.Generator().manual_seed(2)) * 0.1
        sums = []
        for sign in (1, -1):
            moved = {n: getattr(splats, n).detach() for n in NAMES} | {name: value + sign * step * direction}
            sums.append(float((accumulate(Splats(**moved, canvas=splats.canvas), backend="cpu") * weights).sum()))
        numeric = (sums[0] - sums[1]) / (2 * step)
        assert numeric == pytest.approx(float((grad * direction).sum()), rel=2e-2, abs=2e-3)


@pytest.mark.parametrize("blending", ["sum", "alpha"])
def test_cutting_the_work_in_blocks_changes_nothing(make_splats, monkeypatch, blending):
    splats, parameters = with_grad(make_splats(3, 6, blending=blending))
    whole = render(splats, backend="reference")
    grads = torch.autograd.grad(whole.square().sum(), parameters)
    monkeypatch.setattr(reference, "CHUNK_ELEMENTS", 300)
    parts = render(splats, backend="reference")
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)
    for expected, got in zip(grads, torch.autograd.grad(parts.square().sum(), parameters), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)


def test_alpha_composites_front_to_back(make_splats):
    torch.manual_seed(0)
    splats = make_splats(1, 5, 6, 7, 3, blending="alpha", opacities=torch.rand(1, 5), background=torch.rand(1, 3))
    weights = reference.footprints(splats, *reference.pixel_axes(splats.canvas))[0].flatten(1)
    weights = weights * splats.opacities[0, :, None]  # (k, p)
    expected, light = torch.zeros(3, 42), torch.ones(42)
    for k in range(5):
        expected += splats.colors[0, k, :, None] * weights[k] * light
        light = light * (1 - weights[k])
    expected += splats.background[0, :, None] * light
    torch.testing.assert_close(accumulate(splats).flatten(2)[0], expected, rtol=1e-5, atol=1e-6)
    order = torch.arange(4, -1, -1)
    assert not torch.allclose(render(splats.select(order)), render(splats), atol=1e-3)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_summed_sets_have_no_order(make_splats, backend):
    splats = make_splats()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        render(splats.select(order), backend=backend), render(splats, backend=backend), rtol=0, atol=2e-6
    )


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_moving_by_one_pixel_moves_the_picture_by_one_pixel(make_splats, backend):
    splats = make_splats(height=14, width=20)
    pixel = 1 / splats.canvas.pixels_per_unit
    moved = render(splats.translate(pixel, 2 * pixel), backend=backend)
    torch.testing.assert_close(moved[:, :, 2:, 1:], render(splats, backend=backend)[:, :, :-2, :-1], rtol=0, atol=1e-5)


def test_turning_and_mirroring_the_set_turns_and_mirrors_the_picture(make_splats):
    splats = make_splats(height=16, width=16, channels=3)
    picture = render(splats)
    clockwise = render(splats.rotate(90, about=(0, 0)))
    torch.testing.assert_close(clockwise, picture.rot90(-1, (2, 3)), rtol=0, atol=1e-5)
    mirrored = render(splats.scale((-1, 1), about=(0, 0)))
    torch.testing.assert_close(mirrored, picture.flip(3), rtol=0, atol=1e-5)


def test_opacity_is_a_factor_of_the_colour_and_background_lies_beneath(make_splats):
    splats = make_splats(channels=3)
    opacities = torch.rand(2, 9)
    folded = make_splats(channels=3)
    object.__setattr__(folded, "colors", splats.colors * opacities[..., None])
    for backend in ("reference", "cpu"):
        dim = make_splats(channels=3, opacities=opacities, background=torch.full((2, 3), 0.25))
        difference = accumulate(dim, backend=backend) - accumulate(folded, backend=backend)
        torch.testing.assert_close(difference, torch.full_like(difference, 0.25), rtol=0, atol=1e-5)


def test_soft_output_never_saturates(make_splats):
    bright, soft = make_splats(k=60), make_splats(k=60, output="soft")
    total = accumulate(bright)
    torch.testing.assert_close(render(soft), 1 - torch.exp(-total))
    assert float(render(soft).max()) < 1 <= float(total.max())


def test_sizes_keep_the_aspect_and_sample_the_same_picture(make_splats):
    splats = make_splats(height=10, width=20)
    assert render(splats, 60).shape == (2, 1, 30, 60)
    assert render(splats, (7, 9)).shape == (2, 1, 7, 9)
    # Threefold: the centre of every 3x3 block is the coarse pixel's centre.
    torch.testing.assert_close(render(splats, 60)[:, :, 1::3, 1::3], render(splats), rtol=0, atol=1e-5)
    with pytest.raises(InputError, match="at least 1 pixel"):
        render(splats, 0)


def test_far_thin_and_huge_splats_are_drawn(make_splats):
    canvas = Canvas(20, 20, 1)
    means = torch.tensor([[[9.0, 9.0], [0.0, 0.0], [0.2, -0.3]]])
    sigmas = torch.tensor([[[0.1, 0.1], [1e-3, 0.5], [50.0, 50.0]]])
    splats = Splats(means, sigmas, torch.tensor([[0.0, 0.9, 0.0]]), torch.ones(1, 3, 1), canvas)
    for cutoff in (None, 3.5):
        got = accumulate(splats, cutoff=cutoff, backend="cpu")
        assert bool(torch.isfinite(got).all())
        torch.testing.assert_close(got, accumulate(splats, backend="reference"), rtol=0, atol=0.0023)


def test_a_batch_of_one_equals_a_batch_of_many(make_splats):
    splats = make_splats(n=7)
    for backend in ("reference", "cpu"):
        together = render(splats, backend=backend)
        for i in range(7):
            torch.testing.assert_close(render(splats[i], backend=backend)[0], together[i], rtol=0, atol=1e-6)


def test_the_kernel_says_what_it_cannot_draw(make_splats):
    with pytest.raises(InputError, match="summed splats only"):
        render(make_splats(blending="alpha"), backend="cpu")
    with pytest.raises(InputError, match="float32 tensors on the CPU"):
        render(make_splats(dtype=torch.float64), backend="cpu")
