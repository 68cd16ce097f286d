"""Sets say in a line what they are, show themselves in notebooks, and go to NumPy and back."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats


def test_the_line_is_short_and_says_what_counts(make_splats):
    assert repr(make_splats(2)) == "Splats(2 sets of 9, 12x17 grey, sum, clamp, float32 on cpu)"
    one = make_splats(1, 4, channels=4, opacities=torch.ones(1, 4), dtype=torch.float64)
    assert repr(one) == "Splats(1 set of 4 with opacities, 12x17 RGBA, sum, straight, float64 on cpu)"


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("count", [1, 5, 40])
def test_notebooks_see_the_first_sets(make_splats, channels, count):
    content = make_splats(count, 2, channels=channels)._repr_png_()
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "PNG"
    assert picture.mode == {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    assert 200 <= picture.width <= 256
    assert len(content) < 200_000


def test_where_there_is_nothing_to_see_nothing_is_shown(make_splats):
    assert make_splats(0)._repr_png_() is None
    assert make_splats(1).select([])._repr_png_() is None
    with pytest.raises(InputError, match="no set to plot"):
        make_splats(0).plot()


def test_a_picture_shows_itself_though_gradients_are_wanted(make_splats):
    splats = make_splats(1)
    splats.means.requires_grad_()
    assert splats._repr_png_() is not None
    assert splats.plot(32).size == (32, 23)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_plot_has_an_ellipse_around_each_splat(channels):
    canvas = Canvas(64, 64, channels)
    means, sigmas = torch.tensor([[[-0.5, 0.0], [0.5, 0.0]]]), torch.tensor([[[0.25, 0.125], [0.2, 0.2]]])
    colors = torch.full((1, 2, channels), 0.5)
    colors[0, 1] = 0  # not seen
    plot = np.asarray(Splats(means, sigmas, torch.zeros(1, 2), colors, canvas).plot(128)).astype(int).max(-1)
    assert plot.shape == (128, 128)
    for x, y in ((32 + 16, 64), (32 - 16, 64), (32, 64 + 8), (32, 64 - 8)):  # one sigma from the mean, 64 pixels a unit
        near = plot[y - 2 : y + 3, x - 2 : x + 3].max()
        assert near > plot[64, 32] + 50
    assert plot[:, 80:].max() < 20


@pytest.mark.parametrize("sigmas", [0, -1, float("nan"), float("inf")])
def test_ellipses_of_no_size_are_refused(make_splats, sigmas):
    with pytest.raises(InputError, match="sigmas must be"):
        make_splats(1).plot(sigmas=sigmas)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_to_numpy_and_back_is_identity(make_splats, dtype):
    splats = make_splats(2, channels=3, dtype=dtype, opacities=torch.rand(2, 9, dtype=dtype))
    back = Splats.from_numpy(splats.to_numpy(), splats.canvas)
    assert back.tensors().keys() == splats.tensors().keys()
    assert all(torch.equal(back.tensors()[name], value) for name, value in splats.tensors().items())
    splats.to_numpy()["means"][:] = 7
    assert float(splats.means.max()) < 7  # copies
    assert Splats.from_numpy(splats.to_numpy(), (12, 17)).canvas == splats.canvas
    assert splats.to(torch.bfloat16).to_numpy()["means"].dtype == np.float32


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"means": None}, "lack means"),
        ({"weights": np.zeros(3)}, "sets have no weights"),
        ({"rhos": np.full((2, 9), 1.0)}, "rhos must lie"),
        ({"sigmas": np.zeros((2, 9, 2))}, "sigmas must be > 0"),
        ({"colors": np.zeros((2, 8, 1))}, "colors must have shape"),
        ({"colors": np.full((2, 9, 1), "red")}, "array of numbers"),
        ({"colors": np.full((2, 9, 1), np.nan)}, "NaN"),
    ],
)
def test_arrays_that_are_no_sets_are_refused(make_splats, change, complaint):
    values = {name: value for name, value in (make_splats().to_numpy() | change).items() if value is not None}
    with pytest.raises(InputError, match=complaint):
        Splats.from_numpy(values, (12, 17, 1))
