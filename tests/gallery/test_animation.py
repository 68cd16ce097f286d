"""Which rows a sheet has, and when its frames are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from walkers import WALKER

from gaussiandiffusion.gallery import animations
from gaussiandiffusion.gallery.timing import Place, durations, places
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError


def test_a_row_for_each_action_and_direction_of_the_frames_that_there_are():
    rows = animations(WALKER, {"hair": "green"})
    assert [row.name for row in rows] == ["walk-front", "walk-left", "slash-front", "slash-left"]
    assert [len(row.frames) for row in rows] == [4, 4, 3, 3]
    assert [row.loops for row in rows] == [True, True, False, False]
    assert rows[0].asked == {"action": "walk", "direction": "front"}


def test_what_is_asked_for_keeps_that_alone():
    assert [row.name for row in animations(WALKER, {"action": "slash"})] == ["slash-front", "slash-left"]
    assert [row.name for row in animations(WALKER, {"action": ["slash", 0], "direction": 1})] == [
        "walk-left",
        "slash-left",
    ]
    assert [row.frames for row in animations(WALKER, {"action": "any", "frame": "3"})] == [("3",), ("3",)]
    assert all(row.loops for row in animations(WALKER, {}, loops=("walk", "slash")))


def test_directions_are_not_needed_and_names_are_fit_for_files():
    spec = ConditionSpec({"action": ("run / jump", "../up"), "frame": ("0", "1")})
    assert [row.name for row in animations(spec, {})] == ["run_jump", "_up"]


@pytest.mark.parametrize(
    ("spec", "request_", "complaint"),
    [
        (
            ConditionSpec.of_classes(10),
            {},
            "needs a model with the attributes action and frame, and this one has class",
        ),
        (ConditionSpec({}), {}, "is unconditional"),
        (ConditionSpec({"frame": ("0", "1")}), {}, "has frame"),
        (WALKER, {"action": "slash", "frame": "3"}, "no frame comes together"),
        (WALKER, {"hair": ["red", "green"]}, "one hair, not 2"),
        (WALKER, {"action": "fly"}, "unknown action 'fly'"),
        (WALKER, {"wings": "2"}, "unknown attribute 'wings'"),
    ],
)
def test_what_makes_no_sheet_is_refused(spec, request_, complaint):
    with pytest.raises(InputError, match=complaint):
        animations(spec, request_)


def test_three_times_the_rate_puts_two_frames_between_each_pair():
    third = 1 / 3
    walk = places(2, 24, 8, loops=True)
    assert [(place.before, place.after) for place in walk] == [(0, 0), (0, 1), (0, 1), (1, 1), (1, 0), (1, 0)]
    assert [place.share for place in walk] == pytest.approx([0, third, 2 * third, 0, third, 2 * third])
    slash = places(3, 16, 8, loops=False)
    assert slash == [Place(0, 0, 0), Place(0, 1, 0.5), Place(1, 1, 0), Place(1, 2, 0.5), Place(2, 2, 0)]
    assert places(1, 24, 8, loops=False) == [Place(0, 0, 0)]


@given(st.integers(1, 12), st.integers(1, 240), st.booleans())
def test_any_rate_begins_with_the_first_frame_keeps_time_and_stays_between_neighbours(drawn, fps, loops):
    made = places(drawn, fps, 8, loops=loops)
    assert made[0] == Place(0, 0, 0)
    spans = drawn if loops else drawn - 1
    assert abs(len(made) - (0 if loops else 1) - max(spans * fps / 8, 1 if spans else 0)) <= 0.5
    for place in made:
        assert 0 <= place.share < 1
        assert place.after in ((place.before + 1) % drawn, place.before)
        assert 0 <= place.before < drawn
    if not loops and drawn > 1:
        assert made[-1] == Place(drawn - 1, drawn - 1, 0)


@given(st.integers(1, 300), st.integers(1, 240), st.sampled_from([1, 10]))
def test_durations_keep_time(count, fps, unit):
    each = durations(count, fps, unit)
    assert all(duration % unit == 0 for duration in each)
    assert abs(sum(each) - 1000 * count / fps) <= unit
