"""Damaged files of every kind are read, or refused in one line that names the file; never anything else."""

import pytest
from benchmarks.regression.kinds import KINDS
from benchmarks.regression.mutations import outcomes

VARIANTS = 150  # of a kind whose reading takes no longer than others


@pytest.mark.parametrize("name", KINDS)
# What zipfile, PyTorch and Pillow say of damaged files before they are refused.
@pytest.mark.filterwarnings("ignore:Duplicate name", "ignore:Initializing zero-element")
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
@pytest.mark.usefixtures("unchecked")
def test_damaged_files_are_read_or_refused(name, tmp_path):
    kind = KINDS[name]
    numbers = range(round(VARIANTS * kind.share))
    wrong = [
        f"{outcome.kind} {outcome.number}: {outcome.variant}\n    {outcome.ending}: {outcome.said}"
        for outcome in outcomes(name, kind, numbers, seed=0, scratch=tmp_path)
        if not outcome.right
    ]
    assert not wrong, "\n".join(wrong)
