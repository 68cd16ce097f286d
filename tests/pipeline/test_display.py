"""Samples as people want them: PIL, NumPy and tensors; and as notebooks show them."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.pipeline.output import GaussianDiffusionOutput


@pytest.fixture(scope="module")
def model():
    return GaussianDiffusion.from_pretrained("mnist-few")


@pytest.fixture(scope="module")
def out(model):
    return model(num_samples=11, seed=0, return_trajectory=True)


def test_images_come_as_tensors_arrays_or_pil(model, out):
    arrays = model(num_samples=11, seed=0, output_type="np")
    pil = model(num_samples=11, seed=0, output_type="pil")
    assert (arrays.images.shape, arrays.images.dtype) == ((11, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(arrays.images[..., 0], out.images[:, 0].numpy())
    for each in (out, arrays, pil):
        assert [(picture.mode, picture.size) for picture in each.pil] == [("L", (28, 28))] * 11
        np.testing.assert_array_equal(as_pixels(each.pil), to_uint8(out.images).numpy())
        np.testing.assert_array_equal(as_pixels(each.images), to_uint8(out.images).numpy())  # and in again


def test_a_line_says_what_there_is(out):
    words = "images: tensor [11, 1, 28, 28], splats: 11 sets of 24, conditions: class, trajectory of "
    assert repr(out).startswith(f"GaussianDiffusionOutput({words}")
    assert len(repr(out)) < 200
    assert repr(GaussianDiffusionOutput([])) == "GaussianDiffusionOutput(0 PIL images)"


def test_a_trajectory_is_a_page_with_a_slider_that_needs_no_network(out):
    page = out._repr_html_()
    steps = len(out.trajectory)
    assert f'max="{steps - 1}" value="{steps - 1}"' in page
    assert page.endswith(f"<div>step {steps - 1} of {steps - 1}</div></div>")
    written = re.sub(r"base64,[\w+/=]+", "", page)
    assert re.findall(r"//|\bid=|<script|<link|@import", written) == []
    strip = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([\w+/=]+)", page)[1])))
    assert strip.height % steps == 0
    assert strip.width == int(re.match(r'<div style="width:(\d+)px', page)[1])
    assert len(page) < 200_000
    last = np.asarray(strip)[-strip.height // steps :]
    assert (last > 200).mean() > 0.05  # digits
    bare = GaussianDiffusionOutput(out.images, out.splats)
    assert bare._repr_html_() is None
    assert bare._repr_png_() == out._repr_png_()


def test_pixels_show_themselves_too():
    images = torch.rand(3, 3, 8, 8)
    states = [torch.randn(3, 3, 8, 8), images]
    out = GaussianDiffusionOutput(images, trajectory=states)
    assert Image.open(io.BytesIO(out._repr_png_())).mode == "RGB"
    assert "step 1 of 1" in out._repr_html_()
    assert GaussianDiffusionOutput(images[:0])._repr_png_() is None
    assert GaussianDiffusionOutput([])._repr_png_() is None


def test_a_state_shows_what_it_is_and_what_it_is_headed_for(model):
    for state in model.stream(num_samples=3, seed=0):
        assert re.fullmatch(r"SampleState\(step \d of \d, time \d\.\d{3}, samples 0 to 2\)", repr(state))
    picture = Image.open(io.BytesIO(state._repr_png_()))
    assert picture.size == (3 * 50 + 2, 2 * 50 + 2)
