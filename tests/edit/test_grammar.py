"""The language of selections: what it reads, and how it points at mistakes."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussiandiffusion.edit.grammar import FUNCTIONS, USAGE, WORDS, Call, Join, Not, files_of, parse
from gaussiandiffusion.ground.errors import InputError


def test_and_binds_before_or_and_not_before_both():
    assert parse("all | none & !selected") == Join(
        "|", (Call("all", 1), Join("&", (Call("none", 7), Not(Call("selected", 15)))))
    )
    assert parse("!~all") == Call("all", 3)
    assert isinstance(parse("(all | none) & none"), Join)
    assert parse("(all | none) & none").mark == "&"


def test_values_of_every_kind():
    assert parse("inside( -0.5,0 ,.5, 1e-1)").numbers == (-0.5, 0.0, 0.5, 0.1)
    assert parse("color(#F00, 20)").color == "#F00"
    assert parse("index(1, 5:, -3:, ::2)").indices == (1, slice(5, None), slice(-3, None), slice(None, None, 2))
    assert parse("grow(all & none, .1)").inner == parse("  all & none".replace("  ", "     "))
    assert parse("size(0.1)").numbers == (0.1,)
    assert parse("polygon(0,0,1,0,0,1)").numbers == (0, 0, 1, 0, 0, 1)
    for text in ("mask(a b.png)", "mask('a b.png')", 'mask( "a b.png" )'):
        assert parse(text).file == "a b.png"
    assert files_of(parse("!mask(a.png) | grow(mask('b(1).png'), 1) & mask(a.png)")) == ("a.png", "b(1).png")


def test_every_function_has_a_usage_that_reads_or_names_its_values():
    assert set(FUNCTIONS) == set(USAGE)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("insde(0,0,1,1)", 1, "did you mean inside?"),
        ("all & colour(#ff0000, 20)", 7, "did you mean color?"),
        ("xyzzy", 1, "there are inside, ellipse"),
        ("inside(0,0,0.5)", 15, "',' must stand here, as in inside(x0, y0, x1, y1)"),
        ("inside(0,0,0.5,1", 17, "at the end: ')' must stand here"),
        ("inside(0,0,a,1)", 12, "a number must stand here"),
        ("inside(0,0,1e999,1)", 12, "too large"),
        ("inside(nan,0,1,1)", 8, "a number must stand here"),
        ("inside", 7, "'inside' needs values"),
        ("all all", 5, "join selections by & or |"),
        ("all && none", 6, "a selection must stand here"),
        ("", 1, "at the end: a selection must stand here"),
        ("all & $x", 7, "'$' means nothing here"),
        ("color(red, 20)", 7, "a colour must stand here, such as #ff0000"),
        ("color(#ff00, 20)", 7, "a colour must stand here"),
        ("index(a)", 7, "a whole number must stand here"),
        ("index(1.5)", 7, "a whole number must stand here"),
        ("polygon(0,0,1,1)", 9, "three corners at least"),
        ("polygon(0,0,1,1,2,2,3)", 9, "not 7 numbers"),
        ("mask()", 6, "a file must stand here"),
        ("grow(all)", 9, "',' must stand here"),
        ("(all", 5, "')' must stand here"),
        ("(" * 1000 + "all" + ")" * 1000, 52, "nested more than 50 deep"),
        ("grow(" * 1000 + "all" + ",1)" * 1000, 256, "nested more than 50 deep"),
    ],
)
def test_mistakes_are_one_sentence_with_their_place(text, column, said):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert f"column {column}," in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_long_chains_need_no_depth_and_too_long_ones_are_refused():
    assert len(parse("|".join(["all"] * 3000)).parts) == 3000
    assert isinstance(parse("!" * 3001 + "all"), Not)
    with pytest.raises(InputError, match="20001 characters is too long"):
        parse("!" * 20_001)


@settings(max_examples=25, deadline=None)
@given(st.text("()&|!~,:#'\"-+.0129aefinsdmkx \t", max_size=20))
def test_any_text_is_a_selection_or_refused(text):
    with suppress(InputError):  # and nothing else
        parse(text)


def test_words_are_no_functions():
    assert not set(WORDS) & set(FUNCTIONS)
