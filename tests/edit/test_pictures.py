"""Pictures move exactly as the splats do: what an operation does to random sets, pixel by pixel."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussiandiffusion.edit import apply
from gaussiandiffusion.rendering import accumulate, render
from gaussiandiffusion.splats import Canvas, Splats

ROUNDING = 2e-5  # of sums of up to twelve colours, in float32

sides = st.integers(5, 14)
seeds = st.integers(0, 999)
exact = settings(max_examples=15, deadline=None)


def random_sets(seed, height, width, channels=1, **more):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(*shape, generator=g)  # noqa: E731 (shorthand)
    opacities = draw(2, 12) if seed % 2 else None
    return Splats(draw(2, 12, 2) * 2 - 1, draw(2, 12, 2) * 0.4 + 0.1, draw(2, 12) * 1.8 - 0.9, draw(2, 12, channels),
                  Canvas(height, width, channels), opacities, **more)  # fmt: skip


def same(picture, other):
    torch.testing.assert_close(picture, other, rtol=0, atol=ROUNDING)


@exact
@given(seeds, sides, sides, st.integers(-4, 4), st.integers(-4, 4))
def test_moved_by_whole_pixels(seed, height, width, right, down):
    splats = random_sets(seed, height, width)
    moved = accumulate(apply(splats, f"move:x={right}px,y={down}px"))
    before = accumulate(splats)
    rows, columns = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    old_rows, old_columns = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    same(moved[..., rows, columns], before[..., old_rows, old_columns])


@exact
@given(seeds, sides, sides, st.integers(-5, 5))
def test_turned_by_right_angles(seed, height, width, quarters):
    splats = random_sets(seed, height, width, 3)
    turned = apply(splats, f"turn:quarters={quarters}")
    same(render(turned), torch.rot90(render(splats), -quarters, (2, 3)))
    # The same by angle: the splats alone are turned, and the canvas after them.
    by_angle = apply(splats, f"rotate:degrees={90 * quarters},about=center")
    if (height - width) % 2:
        return  # its middle lies between pixels of the other canvas
    if quarters % 2:
        by_angle = apply(by_angle, f"canvas:width={height},height={width}")
    same(render(by_angle), render(turned))


@exact
@given(seeds, sides, sides, st.sampled_from(["horizontal", "vertical"]))
def test_mirrored(seed, height, width, axis):
    splats = random_sets(seed, height, width)
    same(render(splats.flip(axis)), render(splats).flip(3 if axis == "horizontal" else 2))
    same(render(apply(splats, f"flip:axis={axis}")), render(splats.flip(axis)))


@exact
@given(seeds, sides, sides, st.data())
def test_cropped_at_pixels(seed, height, width, data):
    splats = random_sets(seed, height, width)
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    cropped = apply(splats, f"crop:x0={x0}px,y0={y0}px,x1={x1}px,y1={y1}px")
    assert cropped.canvas == Canvas(y1 - y0, x1 - x0)
    same(render(cropped), render(splats)[..., y0:y1, x0:x1])


@exact
@given(seeds, sides, sides, st.integers(0, 9), st.integers(0, 9), st.sampled_from(["center", "top-left", "right"]))
def test_on_a_larger_canvas_and_back(seed, height, width, more, below, anchor):
    splats = random_sets(seed, height, width)
    larger = apply(splats, f"canvas:width={width + more},height={height + below},anchor={anchor}")
    left = {"center": more // 2, "top-left": 0, "right": more}[anchor]
    top = {"center": below // 2, "top-left": 0, "right": below // 2}[anchor]
    same(render(larger)[..., top : top + height, left : left + width], render(splats))
    back = apply(larger, f"crop:x0={left}px,y0={top}px,x1={left + width}px,y1={top + height}px")
    same(render(back), render(splats))


@exact
@given(seeds, sides, sides, st.integers(2, 3))
def test_on_a_canvas_of_another_resolution_it_is_drawn_as_render_draws_it(seed, height, width, factor):
    splats = random_sets(seed, height, width)
    size = (factor * height, factor * width)
    stretched = apply(splats, f"canvas:width={size[1]},height={size[0]},content=stretch")
    same(render(stretched), render(splats, size))
    fitted = apply(splats, f"canvas:width={size[1]},height={size[0]},content=fit")
    same(render(fitted), render(stretched))
    same(render(stretched, (height, width)), render(splats))


@exact
@given(seeds, sides, sides, st.integers(1, 3), st.integers(1, 3))
def test_tiles_add_up_the_picture_at_every_place(seed, height, width, columns, rows):
    splats = random_sets(seed, height, width)
    tiled = apply(splats, f"tile:columns={columns},rows={rows}")
    assert tiled.canvas == Canvas(rows * height, columns * width)
    wanted = sum(
        accumulate(apply(splats, [f"canvas:width={columns * width},height={rows * height},anchor=top-left",
                                  f"move:x={column * width}px,y={row * height}px"]))
        for column in range(columns) for row in range(rows)
    )  # fmt: skip
    same(accumulate(tiled), wanted)


@exact
@given(seeds, sides, sides)
def test_layers_and_copies_add_up(seed, height, width):
    from gaussiandiffusion.edit import layer

    splats, other = random_sets(seed, height, width), random_sets(seed + 2, height, width)
    same(accumulate(layer(splats, other)), accumulate(splats) + accumulate(other))
    copied = apply(splats, "duplicate:copies=2,x=1px")
    steps = [apply(splats, f"move:x={i}px") for i in range(3)]
    same(accumulate(copied), sum(map(accumulate, steps)))


@exact
@given(seeds, sides, sides, st.floats(0, 1))
def test_opacity_and_brightness_scale_the_sum(seed, height, width, factor):
    splats = random_sets(seed, height, width, 3)
    same(accumulate(apply(splats, f"opacity:factor={factor:.6f}")), accumulate(splats) * float(f"{factor:.6f}"))
    same(accumulate(splats.recolor(brightness=factor)), accumulate(splats) * factor)


@pytest.mark.parametrize("below", [False, True])
def test_a_layer_is_in_front_or_behind_where_order_counts(below):
    from gaussiandiffusion.edit import layer

    def disc(color):
        return Splats(torch.zeros(1, 1, 2), torch.full((1, 1, 2), 9.0), torch.zeros(1, 1), torch.tensor([[color]]),
                      Canvas(4, 4, 3), blending="alpha")  # fmt: skip

    red, blue = disc([1.0, 0, 0]), disc([0, 0, 1.0])
    middle = render(layer(red, blue, below=below))[0, :, 2, 2]
    assert (middle[0] > 0.9) == below
    assert (middle[2] > 0.9) != below
