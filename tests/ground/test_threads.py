"""Work side by side: in order, alone in its thread, and as if it had never been."""

import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from gaussiandiffusion.ground import threads
from gaussiandiffusion.ground.threads import side_by_side, step_by_step, thread_count


def test_results_come_in_order_and_from_several_threads():
    seen, both = set(), threading.Barrier(2, timeout=20)

    def work(i):
        if i < 2:
            both.wait()  # passes only if two are at work at once
        seen.add(threading.get_ident())
        time.sleep(0.002 * (7 - i % 7))
        return i

    assert list(side_by_side(work, range(30), threads=2)) == list(range(30))
    assert len(seen) == 2
    assert threading.get_ident() not in seen


def test_no_more_is_begun_than_is_soon_used():
    begun = []
    results = side_by_side(begun.append, range(1000), threads=2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 2 * threads.AHEAD + 1
    results.close()
    assert len(begun) < 20


def test_each_thread_computes_alone_and_afterwards_all_is_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert set(side_by_side(lambda _: torch.get_num_threads(), range(8), threads=2)) == {1}
        assert torch.get_num_threads() == 3
        inner = side_by_side(lambda _: list(side_by_side(lambda _: torch.get_num_threads(), range(2))), range(2))
        assert list(inner) == [[1, 1], [1, 1]]
        assert torch.get_num_threads() == 3
        assert list(step_by_step(torch.get_num_threads() for _ in range(2))) == [1, 1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_error_is_raised_where_its_result_is_due():
    def work(i):
        if i == 3:
            raise ValueError("three")
        return i

    got, before = [], torch.get_num_threads()
    with pytest.raises(ValueError, match="three"):
        got.extend(side_by_side(work, range(10), threads=2))
    assert got == [0, 1, 2]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "max 100000"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 2.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, float("inf")),
        ({"cpu.max": "nonsense"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_a_containers_limit_is_heeded(tmp_path, monkeypatch, files, share):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads._quota(tmp_path) == share
    monkeypatch.setattr(threads, "CGROUPS", tmp_path)
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert thread_count() == min(8, {0.5: 1, 2.5: 3}.get(share, 8))


@pytest.mark.parametrize(("asked", "most"), [("1", 1), ("10000", os.cpu_count()), ("0", os.cpu_count())])
def test_the_users_number_of_threads_is_obeyed_but_no_more_than_there_are_processors(asked, most):
    code = "from gaussiandiffusion.ground.threads import thread_count; print(thread_count())"
    environment = os.environ | {"OMP_NUM_THREADS": asked}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert 1 <= int(done.stdout) <= most
    if asked == "1":
        assert int(done.stdout) == 1
