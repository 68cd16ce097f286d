"""What users get does not change unnoticed: samples of the bundled models, and sets of fixed pictures.

On the class of machine that `benchmarks/results/outputs.json` was recorded on, to the bit; elsewhere to rounding.
Where a change is meant, record it anew: `python -m benchmarks.regression.outputs`.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from benchmarks.regression.outputs import machine_class, outputs

RECORDED = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "outputs.json").read_text())
THREADS = int(RECORDED["machine_class"].rpartition(", ")[2].split()[0])


@contextmanager
def recorded_threads():
    """As many threads as were recorded with, whatever the tests run with."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


with recorded_threads():
    HERE = machine_class()


@pytest.fixture(scope="module")
def found():
    with recorded_threads():
        return dict(outputs(data_dir=None))


def test_everything_that_needs_no_data_set_was_recorded(found):
    assert set(found) == {name for name in RECORDED["outputs"] if "synthetic" in name or name.startswith("sample")}


@pytest.mark.skipif(RECORDED["machine_class"] != HERE, reason="another class of machine rounds otherwise")
def test_on_the_recorded_machine_it_is_the_same_to_the_bit(found):
    assert found == {name: RECORDED["outputs"][name] for name in found}


def test_elsewhere_it_is_the_same_to_rounding(found):
    for name, values in found.items():
        for key, value in values.items():
            if isinstance(value, float):
                # Samplers and fits carry float32 rounding on: some grey levels of some pixels, 0.1 dB of a picture.
                wanted = RECORDED["outputs"][name][key]
                assert value == pytest.approx(wanted, rel=5e-3, abs=2e-3), (name, key)
