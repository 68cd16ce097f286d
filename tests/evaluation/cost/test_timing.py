"""Medians of works timed in turn."""

from gaussiandiffusion.evaluation.cost.timing import median_seconds


def test_works_take_turns_and_the_first_round_is_not_counted():
    now, calls, progress = [0.0], [], []

    def work(name, durations):
        def run():
            calls.append(name)
            now[0] += durations[calls.count(name) - 1]

        return run

    works = {"a": work("a", [100, 1, 9, 2]), "b": work("b", [50, 3, 3, 80])}
    medians = median_seconds(works, 3, clock=lambda: now[0], progress=lambda: progress.append(None))
    assert medians == {"a": 2, "b": 3}
    assert calls == ["a", "b"] * 4
    assert len(progress) == 8
