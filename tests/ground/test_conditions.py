"""Conditions: names and indices, requests, what is left open, and class numbers without names."""

import numpy as np
import pytest
import torch

from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec, dense
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError

HERO = ConditionSpec({"hair": ("red", "green", "none"), "action": ("walk", "slash"), "hat": ("red", "no")})
DIGITS = ConditionSpec.of_classes(10)
ANIMALS = ConditionSpec.of_classes(("cat", "dog", "frog"))


@pytest.mark.parametrize(
    ("spec", "words", "found"),
    [
        (DIGITS, ["3"], {"class": "3"}),
        (DIGITS, ["class=3"], {"class": "3"}),
        (ANIMALS, ["frog"], {"class": "frog"}),
        (ANIMALS, ["2"], {"class": "2"}),
        (ANIMALS, ["any"], {"class": "any"}),
        (HERO, ["slash", "hair=green"], {"action": "slash", "hair": "green"}),
        (HERO, ["hair=2", "hat=any"], {"hair": "2", "hat": "any"}),
        (HERO, [], {}),
        (ConditionSpec.of_classes(("a=b", "c")), ["a=b"], {"class": "a=b"}),
    ],
)
def test_words_become_a_request(spec, words, found):
    assert spec.parse(words) == found


def test_names_are_the_same_however_their_accents_are_written():
    assert ConditionSpec.of_classes(("\u00dcber", "b")).index("class", "U\u0308ber") == 0


@pytest.mark.parametrize(
    ("names", "indices", "numbers"),
    [(10, [3, 0, 10], [3, 0, 10]), (("2", "9", "10"), [0, 2, 3], [2, 10, 3]), (("a", "b"), [1, 0], [1, 0])],
)
def test_labels_are_the_numbers_that_ask_for_them(names, indices, numbers):
    spec = ConditionSpec.of_classes(names)
    assert Conditions(spec, torch.tensor(indices)[:, None]).class_numbers.tolist() == numbers


@pytest.mark.parametrize(
    ("spec", "words", "complaint"),
    [
        (DIGITS, ["10"], "unknown class '10'; .*known are 0, 1, 2|unknown class '10'; did you mean .* 0, 1, 2"),
        (ANIMALS, ["forg"], "unknown class 'forg'; did you mean frog.* cat, dog, frog"),
        (ANIMALS, ["3"], "unknown class '3'; known are cat, dog, frog"),
        (HERO, ["wings=2"], "unknown attribute 'wings'; known are hair, action, hat"),
        (HERO, ["hair=blue"], "unknown hair 'blue'; known are red, green, none"),
        (HERO, ["red"], "'red' may be a value of several attributes: hair, hat; say which, as NAME=VALUE"),
        (HERO, ["blue"], "'blue' may be a value of no attribute: hair, action, hat"),
        (HERO, ["hair=red", "hair=green"], "hair was asked for twice"),
        (HERO, ["slash", "action=walk"], "action was asked for twice"),
        (ConditionSpec({}), ["3"], "unconditional; leave the label '3' out"),
        (ConditionSpec.of_classes(("2023", "2024")), ["0"], "unknown class '0'; known are 2023, 2024"),
    ],
)
def test_unknown_words_are_answered_with_those_that_exist(spec, words, complaint):
    with pytest.raises(InputError, match=complaint):
        spec.parse(words)


def test_one_attribute_runs_through_its_values_in_turn_from_any_sample_on():
    assert Conditions.ask(ANIMALS, 5).labels.tolist() == [0, 1, 2, 0, 1]
    assert Conditions.ask(ANIMALS, 3, first=4).labels.tolist() == [1, 2, 0]


@pytest.mark.parametrize("asked", [2, "frog", np.int64(2), torch.tensor(2)])
def test_a_value_for_all_is_given_by_index_or_name(asked):
    assert Conditions.ask(ANIMALS, 3, {"class": asked}).labels.tolist() == [2, 2, 2]


@pytest.mark.parametrize("asked", [[2, "cat", None], ("frog", 0, "any")])
def test_values_may_be_given_one_each_and_be_open(asked):
    conditions = Conditions.ask(ANIMALS, 3, {"class": asked})
    assert conditions.labels.tolist() == [2, 0, 3]
    assert conditions.words() == {"class": ["frog", "cat", None]}


def test_what_is_left_out_of_several_is_drawn_by_seed_and_sample_alone():
    many = Conditions.ask(HERO, 200, {"action": "slash"}, seed=5)
    assert bool((many.values[:, 1] == 1).all())
    assert np.bincount(many.values[:, 0]).min() > 40  # about 67 each
    tail = Conditions.ask(HERO, 50, {"action": "slash"}, seed=5, first=150)
    assert torch.equal(tail.values, many.values[150:])
    other = Conditions.ask(HERO, 200, {"action": "walk", "hat": None}, seed=5)
    assert torch.equal(other.values[:, 0], many.values[:, 0])  # one attribute's draw is none of another's
    assert bool((other.values[:, 2] == 2).all())
    assert not torch.equal(Conditions.ask(HERO, 200, seed=6).values, Conditions.ask(HERO, 200, seed=5).values)


def test_batches_are_selected_padded_joined_and_dropped():
    conditions = Conditions.ask(HERO, 6, seed=1)
    again = Conditions.cat([conditions.select(slice(0, 2)), conditions.select([2, 3, 4, 5])])
    assert torch.equal(again.values, conditions.values)
    assert torch.equal(conditions.select(slice(0, 2)).padded(4).values, conditions.values[[0, 1, 1, 1]])
    assert conditions.drop().values.tolist() == [[3, 2, 2]] * 6
    some = conditions.drop(torch.tensor([True] + [False] * 5))
    assert some.values[0].tolist() == [3, 2, 2]
    assert torch.equal(some.values[1:], conditions.values[1:])
    column = torch.zeros(6, 3, dtype=torch.bool)
    column[:, 1] = True
    assert torch.equal(conditions.drop(column).values[:, 0], conditions.values[:, 0])
    assert bool((conditions.drop(column).values[:, 1] == 2).all())


def test_nothing_can_be_asked_without_attributes():
    conditions = Conditions.ask(ConditionSpec({}), 4)
    assert conditions.values.shape == (4, 0)
    assert conditions.labels is None
    assert conditions.drop().words() == {}
    with pytest.raises(InputError, match="unknown attribute 'class'"):
        Conditions.ask(ConditionSpec({}), 4, {"class": 1})


@pytest.mark.usefixtures("unchecked")
def test_counts_that_do_not_fit_and_specs_that_are_none_are_refused():
    with pytest.raises(InputError, match="2 values of class were given for 3 samples"):
        Conditions.ask(ANIMALS, 3, {"class": [0, 1]})
    for names in ((), ("a", "a")):
        with pytest.raises(InputError, match="values of different names"):
            ConditionSpec({"class": names})
    for values in (np.zeros((3, 2), np.int64), np.zeros((3, 1)), np.full((3, 1), 3), np.full((3, 1), -1)):
        with pytest.raises(InputError, match="conditions must"):
            ConditionColumns(ANIMALS, values)


def test_class_numbers_are_dense_where_nobody_could_count_up_to_them():
    for labels, places, names in (
        ([2023, 2024, 2023], [0, 1, 0], ["2023", "2024"]),
        ([0, 1 << 60], [0, 1], ["0", str(1 << 60)]),
        ([3, 1], [3, 1], ["0", "1", "2", "3"]),  # a part of a data set may lack a class
        ([], [], ["0"]),
    ):
        found, known = dense(np.array(labels, np.int64))
        assert (found.tolist(), known) == (places, names)


def test_columns_of_parts_join_where_they_agree():
    first, second = ConditionColumns.of_labels(np.array([0, 4])), ConditionColumns.of_labels(np.array([1]))
    joined = ConditionColumns.cat([first, second])
    assert joined.labels.tolist() == [0, 4, 1]
    assert len(joined.spec.attributes["class"]) == 5
    with pytest.raises(InputError, match="name their classes differently"):
        ConditionColumns.cat([first, ConditionColumns.of_labels(np.array([0]), ["cat"])])
