"""Operations that change nothing are refused where they are written, with the keys that there are."""

import pytest

from gaussiandiffusion.edit import Move, Recolor, Rotate, Scale, apply
from gaussiandiffusion.edit.registry import OPERATIONS, from_values, parse_operation
from gaussiandiffusion.ground.errors import InputError


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("move", "x, y"),
        ("move:x=0px,y=0", "x, y"),
        ("rotate:degrees=-720", "degrees, about"),
        ("scale", "factor, x, y, about"),
        ("scale:factor=4,x=0.25,y=0.25", "factor, x, y, about"),
        ("shear:about=center", "x, y, about"),
        ("recolor", "hue, saturation, brightness, palette, replace, by, distance"),
        ("recolor:hue=360,saturation=1", "hue, saturation, brightness, palette, replace, by, distance"),
        ("opacity:factor=1", "factor"),
        ("turn:quarters=8", "quarters"),
        ("tile:columns=1,rows=1", "columns, rows"),
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


def test_every_example_changes_something_and_so_do_those_near_to_nothing():
    for entry in OPERATIONS.values():
        assert parse_operation(entry.usage).changes()
    for text in ("move:y=1e-6", "rotate:degrees=359.9", "scale:factor=-1", "scale:factor=4,x=0.25", "turn",
                 "flip", "tile", "duplicate", "recolor:palette=#ff0000", "canvas:height=9,anchor=left"):  # fmt: skip
        assert parse_operation(text).changes(), text


def test_made_in_python_or_told_by_a_history_they_do_nothing(make_splats):
    splats = make_splats(n=1)
    for operation in (Move(), Rotate(degrees=360), Scale(), Recolor(distance=3), from_values({"op": "move"}, "here")):
        same = apply(splats, operation)
        assert all((same.tensors()[name] - value).abs().max() < 1e-5 for name, value in splats.tensors().items())
