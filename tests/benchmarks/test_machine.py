"""The benchmark of a machine, in miniature: as typed, and what it says of shares."""

import json
import subprocess
import sys

import pytest
from benchmarks.machine.shares import operations, share


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.machine", *words], capture_output=True, text=True, timeout=300
    )


def test_figures_stand_beside_ceilings_and_another_version(tmp_path):
    from benchmarks.machine.versions import own_source

    out = tmp_path / "machine.json"
    only = ["help", "refusal"]
    done = run("--quick", "--other", str(own_source()), "--only", *only, "--out", str(out))
    assert done.returncode == 0, done.stderr
    record = json.loads(out.read_text())
    assert list(record["measures"]) == only
    assert all(value > 0 for value in record["ceilings"].values())
    for row in record["measures"].values():
        assert row["title"] in done.stdout
        assert row["faster"] == row["other"]["median"] / row["this"]["median"]
    assert record["measures"]["help"]["this"]["share"] is None
    assert {"processor", "vectors", "cpus", "threads"} == set(record["machine"])


def test_a_measure_that_does_not_exist_is_named():
    done = run("--quick", "--only", "speed")
    assert done.returncode == 1
    assert "unknown measure 'speed'; there are help, refusal" in done.stderr
    assert "Traceback" not in done.stderr


def test_shares_are_of_work_by_rate():
    machine = {"gflops_one_thread": 100.0, "gflops": 200.0, "gflops_bfloat16": 50.0, "import_torch_seconds": 1.0}
    work = operations()
    assert work["sampling"] == pytest.approx(10 / 4 * work["sampling-few"], rel=1e-3)  # passes of one network
    milliseconds = 1e3 * work["sampling"] / 100
    assert share("sampling", "ms an image", 2 * milliseconds, machine, work) == pytest.approx(0.5)
    assert share("training", "samples/s", 100 / work["training"], machine, work) == pytest.approx(0.5)
    assert share("import", "s", 4.0, machine, work) == 0.25
    assert share("", "s", 4.0, machine, work) is None
