"""Operations that change nothing are refused where they are written, with the keys that there are."""

import pytest

from gaussiandiffusion.edit import Move, Recolor, Rotate, Scale, apply
from gaussiandiffusion.edit.registry import OPERATIONS, from_values, parse_operation
from gaussiandiffusion.ground.errors import InputError


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("move", "x, y"),
        ("scale", "factor, x, y, about"),
        ("shear", "x, y, about"),
        ("recolor", "hue, saturation, brightness, palette, replace, by, distance"),
    ],
)
def test_what_changes_nothing_is_refused_with_its_keys(text, keys):
    name = text.partition(":")[0]
    with pytest.raises(InputError) as refused:
        parse_operation(text)
    usage = OPERATIONS[name].usage
    assert str(refused.value) == f"operation '{text}': changes nothing so; {name} takes {keys}, as in {usage}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recolor:hue=20,distance=5", "distance changes nothing so; give replace and by too, or leave it out"),
        ("canvas:width=9,content=fit,anchor=left", "anchor changes nothing so; it is of content=keep, or leave it out"),
    ],
)
def test_keys_that_mean_nothing_beside_the_others_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse_operation(text)


@pytest.mark.parametrize(
    "text", ["move:x=0,y=0px", "rotate:degrees=0", "scale:factor=1", "recolor:hue=0", "turn:quarters=4"]
)
def test_a_sweep_may_pass_through_nothing(make_splats, text):
    splats = make_splats(n=1)
    same = apply(splats, text)
    assert all((same.tensors()[name] - value).abs().max() < 1e-5 for name, value in splats.tensors().items())


@pytest.mark.parametrize("text", ["turn", "flip", "tile", "duplicate", "delete", "align:x=left"])
def test_others_do_something_without_keys_or_with_few(text):
    assert parse_operation(text)


def test_made_in_python_or_told_by_a_history_they_do_nothing(make_splats):
    splats = make_splats(n=1)
    for operation in (Move(), Rotate(degrees=360), Scale(), Recolor(distance=3), from_values({"op": "move"}, "here")):
        same = apply(splats, operation)
        assert all((same.tensors()[name] - value).abs().max() < 1e-5 for name, value in splats.tensors().items())
