"""What operations keep, how they are undone, and what they refuse."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussiandiffusion.edit import apply, layer, select
from gaussiandiffusion.edit.operations.align import extent
from gaussiandiffusion.edit.operations.counts import keep
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import accumulate, render
from gaussiandiffusion.splats import Canvas, Splats

PAIRS = [
    ("move:x=0.3,y=-2px", "move:x=-0.3,y=2px"),
    ("rotate:degrees=33,about=center", "rotate:degrees=-33,about=center"),
    ("rotate:degrees=33", "rotate:degrees=-33"),
    ("scale:factor=2,x=-1,y=0.5,about=0.1,-0.2", "scale:factor=0.5,x=-1,y=2,about=0.1,-0.2"),
    ("shear:x=0.5,about=center", "shear:x=-0.5,about=center"),
    ("shear:y=-1.5", "shear:y=1.5"),
    ("flip:axis=vertical", "flip:axis=vertical"),
    ("flip", "flip:axis=horizontal"),
    ("recolor:hue=77", "recolor:hue=-77"),
    ("recolor:brightness=2.5", "recolor:brightness=0.4"),
    ("opacity:factor=0.5", "opacity:factor=2"),
    ("turn:quarters=1", "turn:quarters=3"),
    ("canvas:width=9,height=31", "canvas:width=17,height=12"),
    ("canvas:width=9,height=31,content=stretch", "canvas:width=17,height=12,content=stretch"),
]


def close(a, b):
    for name, value in a.tensors().items():
        if name != "opacities" or b.opacities is not None:
            torch.testing.assert_close(value, b.tensors()[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("done", "undone"), PAIRS)
def test_undone_by_its_inverse(done, undone, make_splats):
    splats = make_splats(channels=3)
    before = {name: value.clone() for name, value in splats.tensors().items()}
    back = apply(apply(splats, done), undone)
    close(splats, back)
    assert back.canvas == splats.canvas
    if not done.startswith(("turn", "canvas")):
        chosen = select(splats, "index(2:5)")
        changed = apply(splats, done, where=chosen)
        for name, value in changed.tensors().items():
            if name not in ("background", "opacities"):
                assert torch.equal(value[~chosen], splats.tensors()[name][~chosen])  # the rest: not a bit
        close(splats, apply(changed, undone, where=chosen))
    assert all(torch.equal(before[name], value) for name, value in splats.tensors().items())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), share=st.floats(0.05, 0.95))
def test_what_is_deleted_and_what_is_kept_make_up_the_whole(seed, share):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.rand(*shape, generator=g)  # noqa: E731 (shorthand)
    splats = Splats(draw(3, 9, 2), draw(3, 9, 2) + 0.1, draw(3, 9) - 0.5, draw(3, 9, 3), Canvas(8, 8, 3))
    gone = draw(3, 9) < share
    if gone.all() or not gone.any():
        return
    left, taken = apply(splats, "delete", where=gone), keep(splats, gone).splats
    assert left.num_splats == int((~gone).sum(1).max())
    torch.testing.assert_close(accumulate(left) + accumulate(taken), accumulate(splats), rtol=0, atol=1e-5)


def test_sets_that_keep_fewer_are_filled_up_with_what_draws_nothing(make_splats):
    for blending in ("sum", "alpha"):
        splats = make_splats(n=2, k=6, channels=3, blending=blending)
        kept = torch.tensor([[True] * 2 + [False] * 4, [True] * 5 + [False]])
        edited = keep(splats, kept, torch.ones_like(kept))
        assert edited.splats.num_splats == 5
        assert torch.equal(edited.selected, torch.tensor([[True, True, False, False, False], [True] * 5]))
        alone = splats[0].select([0, 1])
        torch.testing.assert_close(render(edited.splats[0]), render(alone), rtol=0, atol=1e-6)
        # They lie at the centroid, so that turning all turns as it would without them.
        turned = render(edited.splats[0].rotate(40)), render(alone.rotate(40))
        torch.testing.assert_close(*turned, rtol=0, atol=1e-5)
        edited.splats.validate()


def test_copies_are_what_is_selected_then(make_splats):
    splats = make_splats(n=1, k=4)
    moved = apply(splats, ["duplicate", "move:x=1"], where="index(0, 2)")
    assert moved.num_splats == 6
    assert torch.equal(moved.means[:, :4], splats.means)
    torch.testing.assert_close(moved.means[:, 4:], splats.means[:, [0, 2]] + torch.tensor([1.0, 0]))
    ring = apply(splats, "duplicate:copies=3,degrees=90", where="index(1)")
    torch.testing.assert_close(ring.means[:, 4:], splats.means[:, [1, 1, 1]])  # about itself
    torch.testing.assert_close(ring.sigmas[:, 5], splats.sigmas[:, 1], rtol=1e-4, atol=0)  # half a turn


def test_aligned_it_touches_the_edge_and_stays(make_splats):
    splats = make_splats(n=3, height=12, width=24)
    for to, corner in (("x=left,y=top", 0), ("x=right,y=bottom", 1)):
        aligned = apply(splats, f"align:{to}")
        edge = torch.tensor([1.0, 0.5]) * (1 if corner else -1)
        torch.testing.assert_close(extent(aligned, None)[corner], edge.expand(3, 2), rtol=0, atol=1e-5)
        close(aligned, apply(aligned, f"align:{to}"))
    low, high = extent(apply(splats, "align:x=center,y=center", where="index(0:4)"), select(splats, "index(0:4)"))
    torch.testing.assert_close(low, -high, rtol=0, atol=1e-5)


def test_recolouring_keeps_amplitudes_and_alpha(make_splats):
    for channels in (3, 4):
        splats = make_splats(channels=channels)
        bright = splats.recolor(brightness=3)  # above 1
        for done in ("recolor:hue=200", "recolor:saturation=0.3", "recolor:palette=#102030,#ff8000,#ffffff"):
            changed = apply(bright, done)
            torch.testing.assert_close(changed.colors[..., :3].amax(-1), bright.colors[..., :3].amax(-1))
            assert torch.equal(changed.colors[..., 3:], bright.colors[..., 3:])
        assert torch.equal(bright.colors[..., 3:], splats.colors[..., 3:])


def test_a_palette_gives_its_hues_and_replacing_gives_the_new_colour():
    colors = torch.tensor([[[1.0, 0, 0], [2.0, 0.2, 0], [0, 0, 0.4], [0, 1, 0]]])
    splats = Splats(torch.zeros(1, 4, 2), torch.ones(1, 4, 2), torch.zeros(1, 4), colors, Canvas(4, 4, 3))
    few = apply(splats, "recolor:palette=#ff0000,#0000ff").colors
    torch.testing.assert_close(few, torch.tensor([[[1.0, 0, 0], [2, 0, 0], [0, 0, 0.4], [1, 0, 0]]]))
    put = apply(splats, "recolor:replace=#ff0000,by=#008000,distance=30").colors
    green = 128 / 255
    torch.testing.assert_close(put, torch.tensor([[[0.0, green, 0], [0, 2 * green, 0], [0, 0, 0.4], [0, 1, 0]]]))


def test_layers_of_one_set_and_of_grey_ones_and_those_that_do_not_fit(make_splats):
    splats, grey = make_splats(n=3, channels=3), make_splats(n=1, k=4, channels=1, seed=1)
    merged = layer(splats, grey)
    assert merged.num_splats == 13
    assert torch.equal(merged.colors[2, 9:], grey.colors[0].expand(-1, 3))
    with_opacity = make_splats(n=3, channels=3, k=1, opacities=torch.full((3, 1), 0.5))
    assert layer(splats, with_opacity).opacities[0].tolist() == [1.0] * 9 + [0.5]
    for other, said in (
        (make_splats(n=2, channels=3), "a layer of 2 sets does not fit 3"),
        (make_splats(n=3, channels=4), "RGBA splats cannot be a layer of RGB ones; give grey or RGB ones"),
        (make_splats(n=3, channels=3, output="soft"), "drawn by sum and soft"),
    ):
        with pytest.raises(InputError, match=said):
            layer(splats, other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recolor:hue=20", "grey sets have no hue.*brightness is what can be changed"),
        ("recolor:palette=#ff0000", "grey sets have no hue"),
        ("recolor:replace=#ff0000,by=#00ff00", "grey sets have no hue"),
        ("delete", "no splat would be left"),
        ("crop:x0=0,y0=0,x1=0,y1=1", "holds no pixel"),
        ("crop:x0=0,y0=0,x1=3,y1=1", "beyond the canvas of 17x12"),
        ("tile:columns=30000,rows=30000", "at most 1073741824 in all"),
        ("tile:columns=2000,rows=2000", "72000000 splats would come of it"),
    ],
)
def test_what_these_sets_cannot_be_is_refused(text, said, make_splats):
    with pytest.raises(InputError, match=said):
        apply(make_splats(), text)


def test_signed_colours_have_no_hue(make_splats):
    splats = make_splats(channels=3)
    signed = layer(splats, splats.recolor(brightness=-1))
    with pytest.raises(InputError, match="signed colours have no hue"):
        signed.recolor(hue=10)
    close(signed.recolor(brightness=2), signed.recolor(brightness=2.0))


def test_a_crop_that_nothing_reaches_is_refused():
    far = Splats(torch.full((1, 2, 2), 0.9), torch.full((1, 2, 2), 0.01), torch.zeros(1, 2), torch.ones(1, 2, 1),
                 Canvas(20, 20))  # fmt: skip
    with pytest.raises(InputError, match="crop: no splat would be left"):
        apply(far, "crop:x0=-1,y0=-1,x1=0,y1=0")
