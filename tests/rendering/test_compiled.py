"""The compiled reference: the reference's values and gradients, and a way out where nothing can be compiled."""

import shutil
import warnings

import pytest
import torch

from gaussiandiffusion.rendering import accumulate, compiled, reference, render
from gaussiandiffusion.splats import Splats

NAMES = ("means", "sigmas", "rhos", "colors")


def with_grad(splats):
    parameters = {name: getattr(splats, name).clone().requires_grad_() for name in NAMES}
    kept = {"canvas": splats.canvas, "blending": splats.blending, "opacities": splats.opacities}
    return Splats(**parameters, **kept), list(parameters.values())


def drawn(accumulate, splats, parameters, **kwargs):
    """The picture, and the gradients of a sum of its squares."""
    total = accumulate(splats, **kwargs)
    return [total.detach(), *torch.autograd.grad(total.square().sum(), parameters)]


@pytest.fixture
def fresh_cache():
    """What was found out and compiled is forgotten before and after the test."""
    compiled._works.cache_clear()
    compiled._blend.cache_clear()
    yield
    compiled._works.cache_clear()
    compiled._blend.cache_clear()


# "aot_eager" runs the forward and backward graphs that compile traced, without generating code for them: fast to test.
@pytest.mark.parametrize(("blending", "cutoff"), [("sum", 3.5), ("alpha", None)])
def test_compiled_graphs_draw_and_differentiate_as_the_reference(make_splats, blending, cutoff, unchecked):
    for shape in [(3, 20, 12, 17, 3), (2, 15, 9, 40, 3)]:
        opacities = torch.rand(shape[0], shape[1], generator=torch.Generator().manual_seed(1))
        splats, parameters = with_grad(make_splats(*shape, blending=blending, opacities=opacities))
        expected = drawn(reference.accumulate, splats, parameters, cutoff=cutoff)
        got = drawn(compiled.accumulate, splats, parameters, cutoff=cutoff, compiler="aot_eager")
        for one, other in zip(got, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)  # float32, operations decomposed otherwise
    assert compiled._works("cpu", "aot_eager")


def test_blocks_are_compiled_and_recomputed_too(make_splats, monkeypatch, unchecked):
    splats, parameters = with_grad(make_splats(3, 6, channels=3, opacities=torch.rand(3, 6)))
    expected = drawn(reference.accumulate, splats, parameters, cutoff=3.5)
    monkeypatch.setattr(reference, "CHUNK_ELEMENTS", 300)
    got = drawn(compiled.accumulate, splats, parameters, cutoff=3.5, compiler="aot_eager")
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="compiling needs a C++ compiler")
def test_generated_code_draws_as_the_reference(make_splats, unchecked, fresh_cache):
    splats = make_splats(3, 20, 12, 17, 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="torch.compile does not work")
        torch.testing.assert_close(render(splats, backend="compiled"), render(splats), rtol=0, atol=1e-6)
        again = make_splats(5, 31, 7, 8, 1)  # other sizes, same code
        torch.testing.assert_close(render(again, backend="compiled"), render(again), rtol=0, atol=1e-6)


def test_without_a_compiler_one_warning_and_the_reference(make_splats, monkeypatch, fresh_cache):
    def refuse(*_, **__):
        raise RuntimeError("no C++ compiler found\nand a long story")

    monkeypatch.setattr(torch, "compile", refuse)
    splats = make_splats()
    with pytest.warns(UserWarning, match=r"does not work here for cpu tensors \(no C\+\+ compiler found\)"):
        picture = accumulate(splats, backend="compiled")
    torch.testing.assert_close(picture, accumulate(splats))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once was enough
        accumulate(splats, backend="compiled")
