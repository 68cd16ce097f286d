"""Pairs of values that never come together: recorded of columns, heeded by draws, kept with a spec."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.combinations import absent_in, come_together
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError

PLAIN = {
    "hair": ("red", "green"),
    "action": ("walk", "cast", "slash"),
    "direction": ("front", "left", "right"),
    "frame": tuple(map(str, range(8))),
}
ABSENT = {"action": {"cast": {"frame": ["7"]}, "slash": {"frame": ["6", "7"]}}}
HERO = ConditionSpec(PLAIN, ABSENT)
FRAMES = {"walk": 8, "cast": 7, "slash": 6}


def rows_of(conditions):
    words = conditions.words()
    return [dict(zip(words, row, strict=True)) for row in zip(*words.values(), strict=True)]


def hero_columns():
    actions = PLAIN["action"]
    rows = [(hair, action, direction, frame) for hair in range(2) for action in range(3) for direction in range(3)
            for frame in range(FRAMES[actions[action]])]  # fmt: skip
    return ConditionColumns(ConditionSpec(PLAIN), np.array(rows, np.int64))


def test_what_a_data_set_lacks_is_recorded_as_pairs():
    assert absent_in(hero_columns()) == ABSENT


def test_a_new_combination_of_known_pairs_is_not_absent():
    columns = hero_columns()
    kept = columns.take(np.flatnonzero((columns.values != [1, 0, 1, 4]).any(1)))
    assert absent_in(kept) == ABSENT


def test_classes_and_empty_data_sets_record_nothing():
    assert absent_in(ConditionColumns.of_labels(np.array([0, 2, 2]))) == {}
    assert absent_in(ConditionColumns(ConditionSpec(PLAIN), np.empty((0, 4), np.int64))) == {}


def test_only_what_comes_together_is_drawn_and_the_rest_of_the_draws_stays():
    plain = rows_of(Conditions.ask(ConditionSpec(PLAIN), 400, seed=5))
    drawn = rows_of(Conditions.ask(HERO, 400, seed=5))
    assert all(int(row["frame"]) < FRAMES[row["action"]] for row in drawn)
    assert {(row["action"], row["frame"]) for row in drawn} == {
        (a, str(f)) for a, n in FRAMES.items() for f in range(n)
    }
    changed = [(before, after) for before, after in zip(plain, drawn, strict=True) if before != after]
    assert all(not come_together(HERO, before) for before, _ in changed)
    assert all({**before, "frame": after["frame"]} == after for before, after in changed)
    assert 0 < len(changed) < 80


def test_a_samples_draw_is_its_own():
    whole = Conditions.ask(HERO, 50, {"hair": "red"}, seed=2)
    assert rows_of(Conditions.ask(HERO, 7, {"hair": "red"}, seed=2, first=31)) == rows_of(whole)[31:38]


def test_what_is_asked_for_decides_what_is_drawn():
    assert {row["action"] for row in rows_of(Conditions.ask(HERO, 60, {"frame": "7"}))} == {"walk"}
    assert {row["action"] for row in rows_of(Conditions.ask(HERO, 60, {"frame": "6"}))} == {"walk", "cast"}
    assert {row["action"] for row in rows_of(Conditions.ask(HERO, 60, {"frame": None}))} == set(FRAMES)


def test_what_never_comes_together_may_be_asked_for():
    (row,) = rows_of(Conditions.ask(HERO, 1, {"action": "slash", "frame": "7"}))
    assert (row["action"], row["frame"]) == ("slash", "7")


@given(st.data())
def test_of_any_data_set_only_pairs_that_it_has_are_drawn(data):
    """Even where most values never occur: each drawn row's pairs are in the data, for every two attributes."""
    rows = data.draw(st.lists(st.tuples(*(st.integers(0, 2) for _ in range(2))), min_size=1, max_size=5))
    spec = ConditionSpec(dict.fromkeys("xy", ("a", "b", "c")))
    columns = ConditionColumns(spec, np.array(rows, np.int64))
    known = ConditionSpec(spec.attributes, absent_in(columns))
    drawn = Conditions.ask(known, 8, seed=data.draw(st.integers(0, 1000))).values.tolist()
    assert {tuple(row) for row in drawn} <= set(rows)


def test_an_absent_pair_of_unknown_values_is_refused():
    with pytest.raises(InputError, match="frame is said never to be '9'"):
        ConditionSpec(PLAIN, {"action": {"slash": {"frame": ["9"]}}})
    with pytest.raises(InputError, match="unknown attribute 'wings'"):
        ConditionSpec(PLAIN, {"wings": {"2": {"frame": ["1"]}}})
