"""Numbers of sets against numbers of pictures, and the table made of them."""

import pytest
from benchmarks.compression.counts import counts
from benchmarks.compression.tables import compression


def row(splats, kind):
    run = {"quick": False}
    return {"splats": splats, "kind": kind, "images": 10, "psnr_mean": 40.0, "psnr_p1": 31.0, "run": run} | counts(
        splats, 28, 28, 1
    )


def test_numbers_are_counted_as_stored():
    found = counts(70, 28, 28, 1)
    assert (found["set_numbers"], found["picture_numbers"]) == (420, 784)
    assert found["ratio_numbers"] == pytest.approx(784 / 420)
    assert found["ratio_bytes"] == pytest.approx(784 / 1680)
    assert counts(500, 32, 32, 3)["ratio_numbers"] < 1


def test_sets_larger_than_their_pictures_are_said_to_be():
    text = compression({"mnist": {"150 hilbert": row(150, "hilbert"), "70 hilbert": row(70, "hilbert")}})
    lines = text.splitlines()
    assert "| 70 | 420 | 784 | 1.87 | 0.47 |" in lines[2]
    assert "**0.87**" in lines[3]
    assert "no compression at all but more numbers than pixels: MNIST with 150." in text
