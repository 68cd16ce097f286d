"""Operations from text, in order, each kept to its selection."""

from dataclasses import fields
from pathlib import Path

import pytest
import torch

from gaussiandiffusion.edit import Move, Rotate, Tile, apply, select
from gaussiandiffusion.edit.grammar import USAGE
from gaussiandiffusion.edit.registry import OPERATIONS, from_values, operation_class, parse_operation
from gaussiandiffusion.ground.errors import InputError


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_example_reads_and_its_json_leads_back(name):
    entry = OPERATIONS[name]
    operation = parse_operation(entry.usage)
    assert operation.name == name
    assert type(operation).__doc__
    assert from_values({"op": name, **operation.values()}, "a test") == operation


def test_values_of_every_kind_are_read():
    assert parse_operation("rotate:degrees=-1e1, about=0.5,-0.25") == Rotate(-10.0, (0.5, -0.25))
    assert parse_operation(" rotate:degrees=15,about=center ").about == "center"
    assert parse_operation("move:x=-3px,y=.5").values() == {"x": "-3px", "y": 0.5}
    assert parse_operation("recolor:palette=#111,#222222,hue=3").palette == ("#111", "#222222")
    assert parse_operation("layer:file=a,b.safetensors,below=true").file == "a,b.safetensors"
    assert parse_operation("layer:file=12").file == "12"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rotat:degrees=3", "no operation 'rotat'; did you mean rotate?"),
        ("", "no operation ''; there are move, rotate"),
        ("rotate", "rotate needs degrees, as in rotate:degrees=15"),
        ("rotate:degree=3", "rotate has no key 'degree'; did you mean degrees?"),
        ("rotate:degrees=nan", "degrees must be a finite number, not 'nan'"),
        ("rotate:degrees=1e999", "must lie between"),
        ("rotate:degrees=abc", "must be a finite number, not 'abc'"),
        ("rotate:degrees", "'degrees' is not KEY=VALUE"),
        ("rotate:degrees=", "'degrees=' is not KEY=VALUE"),
        ("rotate:degrees=1,degrees=2", "degrees is given twice"),
        ("rotate:degrees=1,about=1", "about must be center or two numbers as 0.1,0.2"),
        ("rotate:degrees=1,about=1e9,0", "about's x must lie between"),
        ("scale:factor=0", "factor must be at least 0.0001 in size, not 0"),
        ("scale:x=1e9", "x must lie between"),
        ("shear:x=2,y=0.5", "x times y must not be 1"),
        ("flip:axis=diagonal", "axis must be horizontal or vertical, not 'diagonal'"),
        ("delete:x=1", "delete has no key 'x'; it takes none"),
        ("duplicate:copies=1.5", "copies must be a whole number"),
        ("duplicate:copies=0", "copies must lie between 1"),
        ("opacity:factor=-1", "factor must lie between 0"),
        ("recolor:saturation=-1", "saturation must lie between 0"),
        ("recolor:palette=red", "'red' is no colour"),
        ("recolor:palette=#000000", "palette cannot be black"),
        ("recolor:replace=#ff0000", "replace and by go together"),
        ("align", "say to where"),
        ("align:x=top", "x must be left or center or right"),
        ("canvas", "say how large"),
        ("canvas:width=0", "width must lie between 1"),
        ("canvas:width=99999999", "width must lie between 1"),
        ("crop:x0=1", "crop needs y0 and x1 and y1"),
        ("layer:file=x,below=maybe", "below must be true or false"),
    ],
)
def test_a_text_that_is_no_operation_is_refused(text, said):
    with pytest.raises(InputError) as caught:
        parse_operation(text)
    assert said in str(caught.value)


def test_lengths_are_refused_when_they_are_none(make_splats):
    for text in ("move:x=abc", "move:x=3cm", "move:x=nanpx", "move:x=px"):
        with pytest.raises(InputError, match="move: x must be a length, in canvas units or in pixels as 3px"):
            apply(make_splats(), text)


def test_one_selection_is_chosen_first_and_followed(make_splats):
    splats = make_splats(n=1, k=40)
    left = select(splats, "inside(-2,-2,0,2)")
    both = apply(splats, ["move:x=5", "rotate:degrees=90"], where="inside(-2,-2,0,2)")
    assert torch.equal(both.means[~left], splats.means[~left])
    assert bool((both.means[left][:, 0] > 3).all())
    one_by_one = splats.translate(5, 0, where=left).rotate(90, where=left)
    assert torch.equal(both.means, one_by_one.means)
    # One for each is chosen when its turn comes: nothing is on the left any more, all that moved is on the right.
    each = apply(splats, ["move:x=5", Rotate(90)], where=["inside(-2,-2,0,2)", "inside(3,-9,9,9)"])
    assert torch.equal(each.means, both.means)
    with pytest.raises(InputError, match=r"operation 2, rotate: the selection 'inside\(-2,-2,0,2\)' holds no splat"):
        apply(splats, ["move:x=5", Rotate(90)], where=["inside(-2,-2,0,2)"] * 2)


def test_a_selection_is_followed_through_what_changes_the_count(make_splats):
    splats = make_splats(n=2, k=8)
    steps = ["delete", "tile:columns=2,rows=1", "move:x=1"]
    done = apply(splats, steps, where=["index(0)", None, "index(3)"])
    assert done.num_splats == 14
    for second in ("crop:x0=0px,y0=0px,x1=17px,y1=12px", "turn", "canvas:width=20", Tile(columns=1, rows=1)):
        steps = [Move(), second, "recolor:brightness=0"]
        for where in ("index(1:3)", ["index(1:3)", "all", "selected"]):
            assert [int((row == 0).sum()) for row in apply(splats, steps, where=where).colors] == [2, 2]
    copied = apply(splats, ["duplicate:copies=2", "recolor:brightness=0"], where="index(1:3)")
    assert int((copied.colors == 0).sum()) == 2 * 2 * 2


def test_masks_select_as_expressions_do(make_splats):
    splats = make_splats(n=2, k=8)
    mask = select(splats, "index(1,4)")
    assert torch.equal(apply(splats, "move:x=1", where=mask).means, apply(splats, "move:x=1", where="index(1,4)").means)
    assert torch.equal(apply(splats, Rotate(20)).means, splats.rotate(20).means)


def test_requests_that_mean_nothing_are_refused(make_splats):
    splats = make_splats()
    for operations, where, said in (
        ([], None, "there is nothing to do"),
        (["flip"], "none", "selection 'none' holds no splat"),
        (["flip"], torch.zeros(2, 9, dtype=torch.bool), "the selection holds no splat"),
        (["flip"], torch.ones(2, 8, dtype=torch.bool), r"\(2, 8\) splats is not of sets of \(2, 9\)"),
        (["flip", "flip"], ["all"] * 3, "3 selections for 2 operations"),
        (["turn"], "index(0)", "changes the picture as a whole"),
        (["flip"], "selected", "no edit came before"),
        (["delete", "flip"], "index(0)", "operation 2, flip: the selection 'selected' holds no splat"),
        (
            ["scale:factor=1e4"] * 12,
            None,
            "operation .*, scale: its values are too large or too small for these splats",
        ),
    ):
        with pytest.raises(InputError, match=said):
            apply(splats, operations, where=where)


def test_methods_of_splats_chain(make_splats):
    splats = make_splats(channels=3)
    chained = splats.translate(0.1, 0).rotate(15).scale(1.2).recolor(hue=30).shear(0.2).flip()
    steps = ["move:x=0.1", "rotate:degrees=15", "scale:factor=1.2", "recolor:hue=30", "shear:x=0.2", "flip"]
    listed = apply(splats, steps)
    for name, value in chained.tensors().items():
        torch.testing.assert_close(value, listed.tensors()[name])


def test_the_page_of_edits_names_every_operation_key_and_selection():
    page = (Path(__file__).parents[2] / "docs" / "editing.md").read_text()
    for name in OPERATIONS:
        assert f"| `{name}` |" in page
        for key in fields(operation_class(name)):
            assert f"`{key.name}`" in page
    for usage in USAGE.values():
        assert f"`{usage}`" in page
