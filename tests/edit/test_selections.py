"""Which splats a selection means."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gaussiandiffusion.edit import select
from gaussiandiffusion.edit.selections import grow, mask_pixels, shrink, weights_at
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, Splats

LEAVES = ["all", "none", "inside(-1,-0.5,0.3,0.4)", "ellipse(0.2,0,0.7,0.5)", "index(0,3:6)", "set(0)", "size(0.1,0.2)",
          "brightness(0.4)", "color(#808080,30)", "drawn(0,0)", "polygon(-1,-1,1,-1,0,1)"]  # fmt: skip


def random_sets(seed=0, n=2, k=30, channels=3, height=12, width=17, **more):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(*shape, generator=g)  # noqa: E731 (shorthand)
    return Splats(draw(n, k, 2) * 2 - 1, draw(n, k, 2) * 0.3 + 0.03, draw(n, k) * 1.8 - 0.9, draw(n, k, channels),
                  Canvas(height, width, channels), **more)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.sampled_from(LEAVES), st.sampled_from(LEAVES))
def test_and_or_not_are_those_of_sets(seed, one, other):
    splats = random_sets(seed)
    a, b = select(splats, one), select(splats, other)
    assert torch.equal(select(splats, f"{one} & {other}"), a & b)
    assert torch.equal(select(splats, f"{one} | {other}"), a | b)
    assert torch.equal(select(splats, f"!({one} & {other})"), select(splats, f"~{one} | !{other}"))
    assert torch.equal(select(splats, f"({one} | {other}) & all"), select(splats, f"{one} | {other} & all"))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.sampled_from(LEAVES), st.floats(0, 0.5))
def test_growing_reaches_what_is_near_and_shrinking_is_growing_the_rest(seed, leaf, distance):
    splats = random_sets(seed)
    chosen = select(splats, leaf)
    near = torch.cdist(splats.means, splats.means) <= distance
    assert torch.equal(grow(splats, chosen, distance), chosen | (near & chosen[:, None]).any(-1))
    assert torch.equal(shrink(splats, chosen, distance), ~grow(splats, ~chosen, distance))
    assert bool((shrink(splats, chosen, distance) <= chosen).all())


def test_regions_hold_the_centres_that_lie_in_them():
    splats = random_sets(k=400, n=1)
    x, y = splats.means.unbind(-1)
    box = (x >= -0.5) & (x <= 0.25) & (y >= 0) & (y <= 0.5)
    assert torch.equal(select(splats, "inside(-0.5,0,0.25,0.5)"), box)
    assert torch.equal(select(splats, "inside(0.25,0.5,-0.5,0)"), box)  # any two opposite corners
    assert torch.equal(select(splats, "polygon(-0.5,0, 0.25,0, 0.25,0.5, -0.5,0.5)"), box)
    assert torch.equal(select(splats, "ellipse(0.5,0,0.5,0.25)"), ((x - 0.5) / 0.5) ** 2 + (y / 0.25) ** 2 <= 1)
    # A polygon that turns in is not its hull.
    notch = select(splats, "polygon(-1,-1, 1,-1, 1,1, 0,0, -1,1)")
    assert torch.equal(notch, (y < x.abs()) & (y.abs() < 1))


def test_masks_select_white_pixels_at_any_size_of_the_canvas_shape(tmp_path):
    splats = random_sets(k=300, n=1, height=8, width=16)
    white = np.zeros((8, 16), np.uint8)
    white[2:6, 3:9] = 255
    Image.fromarray(white).save(tmp_path / "m.png")
    Image.fromarray(np.kron(white, np.ones((5, 5), np.uint8))).save(tmp_path / "big mask.png")
    box = select(splats, "inside(-0.625,-0.25,0.125,0.25)")
    assert torch.equal(select(splats, "mask(m.png)", base=tmp_path), box)
    assert torch.equal(select(splats, "mask('big mask.png')", base=tmp_path), box)
    assert torch.equal(select(splats, "mask(x)", files={"x": tmp_path / "m.png"}), box)
    clear = np.dstack([np.full_like(white, 255)] * 3 + [white])  # white all over, seen where the mask is
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert torch.equal(select(splats, "mask(clear.png)", base=tmp_path), box)
    assert not bool(mask_pixels(splats.translate(3, 0), torch.ones(8, 16, dtype=torch.bool)).any())  # off the canvas
    Image.fromarray(white.T).save(tmp_path / "turned.png")
    with pytest.raises(InputError, match=r"turned.png: 8x16 pixels are not of the shape of the canvas, 16x8"):
        select(splats, "mask(turned.png)", base=tmp_path)
    with pytest.raises(InputError, match=r"column 7, at 'mask\(no.png\)': .*no.png: cannot be read"):
        select(splats, "all & mask(no.png)", base=tmp_path)
    with pytest.raises(InputError, match="/dev/zero: is no regular file"):
        select(splats, "mask(/dev/zero)")


def test_colours_are_near_as_eyes_see_them():
    colors = torch.tensor([[[1.0, 0, 0], [0.95, 0, 0], [3.0, 0, 0], [0, 1, 0], [0.5, 0, 0]]])
    splats = Splats(torch.zeros(1, 5, 2), torch.ones(1, 5, 2), torch.zeros(1, 5), colors, Canvas(4, 4, 3))
    assert select(splats, "color(#ff0000, 5)").tolist() == [[True, True, True, False, False]]  # more than full is full
    assert select(splats, "color(#f00, 200)").all()
    alpha = Splats(splats.means, splats.sigmas, splats.rhos,
                   torch.tensor([[[0.5, 0, 0, 0.5], [0, 0, 0, 0], [1, 0, 0, 1], [0, 0.2, 0, 0.2], [0.5, 0, 0, 1]]]),
                   Canvas(4, 4, 4))  # fmt: skip
    assert select(alpha, "color(#ff0000, 5)").tolist() == [[True, False, True, False, False]]  # premultiplied
    grey = random_sets(channels=1)
    assert torch.equal(select(grey, "color(#ffffff, 50)"), grey.colors[..., 0] >= 0.4663)  # L* = 50 at 0.4663
    assert torch.equal(select(grey, "brightness(0.25, 0.5)"), ((grey.colors >= 0.25) & (grey.colors <= 0.5))[..., 0])


def test_a_point_is_drawn_by_what_matters_there():
    for blending in ("sum", "alpha"):
        splats = random_sets(3, n=1, k=12, height=9, width=9, blending=blending, opacities=torch.full((1, 12), 0.8))
        weights = weights_at(splats, 0, 0)  # the centre of the middle pixel
        there = (weights[..., None] * splats.colors).sum(1)
        torch.testing.assert_close(there.clamp(0, 1), render(splats)[:, :, 4, 4], rtol=0, atol=1e-5)
        chosen = select(splats, "drawn(0, 0, 0.01)")
        given = weights * splats.colors.amax(-1)
        assert float(given[chosen].sum() / given.sum()) > 0.85
        assert chosen.any()
        assert not chosen.all()
    assert not select(random_sets(), "drawn(50, 50)").any()


def test_indices_and_sets_count_as_python_does():
    splats = random_sets(n=3, k=10)
    assert select(splats, "index(0, -1, 2:4)")[1].nonzero()[:, 0].tolist() == [0, 2, 3, 9]
    assert select(splats, "set(1:)").all(1).tolist() == [False, True, True]
    with pytest.raises(InputError, match="no number 10 among 10 splats"):
        select(splats, "index(10)")
    with pytest.raises(InputError, match="no number 3 among 3 sets"):
        select(splats, "set(3)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ellipse(0,0,0,1)", "radii of an ellipse must be above 0"),
        ("size(2,1)", "from the least to the most"),
        ("color(#ff0000,-1)", "must be at least 0"),
        ("grow(all,-1)", "grows or shrinks by at least 0"),
        ("drawn(0,0,0)", "above 0 and at most 1"),
        ("all & selected", "column 7"),
    ],
)
def test_values_out_of_range_are_refused_with_their_place(text, said):
    with pytest.raises(InputError, match=r"^selection '.*column") as caught:
        select(random_sets(), text)
    assert said in str(caught.value)
    assert str(caught.value).count("column") == 1


def test_sizes_do_not_depend_on_direction():
    splats = random_sets(k=60)
    assert torch.equal(select(splats, "size(0.1,0.2)"), select(splats.rotate(40), "size(0.1,0.2)"))
