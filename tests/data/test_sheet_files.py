"""Picture sheets in .npz: streamed sheet by sheet, over several files, and refused when unsound."""

from __future__ import annotations

import numpy as np
import pytest

from gaussiandiffusion.data import open_images
from gaussiandiffusion.data.sheets import open_sheets
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def pixels(make):
    return make.noise(24, 8, 8, 3)


def test_pictures_come_back_exactly(tmp_path, make, pixels):
    source = open_images(make.sheets(tmp_path / "x.npz", pixels, per_sheet=4, labels=np.arange(24) % 5))
    assert (len(source), source.canvas, source.name) == (24, (8, 8, 3), "x.npz")
    np.testing.assert_array_equal(source.read().images, pixels.transpose(0, 3, 1, 2))
    part = source.take(np.array([3, 4, 17, 23]))
    np.testing.assert_array_equal(part.images, pixels[[3, 4, 17, 23]].transpose(0, 3, 1, 2))
    assert part.labels.tolist() == [3, 4, 2, 3]


def test_several_files_are_one_source_of_which_some_are_kept(tmp_path, make, pixels):
    paths = [
        make.sheets(tmp_path / "a.npz", pixels[:16], per_sheet=8, mark=np.arange(16)),
        make.sheets(tmp_path / "b.npz", pixels[16:], per_sheet=4, mark=np.arange(16, 24)),
    ]
    odd = open_sheets(
        paths, lambda columns: ConditionColumns.of_labels(columns["mark"] % 7), lambda columns: columns["mark"] % 2 == 1
    )
    np.testing.assert_array_equal(odd.read().images, pixels[1::2].transpose(0, 3, 1, 2))
    assert odd.labels.tolist() == [i % 7 for i in range(1, 24, 2)]
    assert open_sheets(paths).labels is None


DAMAGED = {
    "cut": {"webp": lambda webp: webp[:-20]},
    "noise": {"webp": lambda webp: webp[::-1]},
    "backwards": {"offsets": lambda offsets: offsets[::-1]},
    "beyond": {"offsets": lambda offsets: offsets * 3},
    "one sheet less": {"offsets": lambda offsets: offsets[:-1]},
    "few labels": {"labels": lambda labels: labels[:-4]},
    "text": {"labels": lambda labels: np.array(["a"] * len(labels))},
}


@pytest.mark.parametrize("case", DAMAGED)
def test_unsound_sheets_are_refused(tmp_path, make, pixels, case):
    path = make.sheets(tmp_path / "x.npz", pixels, per_sheet=4, labels=np.arange(24))
    with np.load(path) as archive:
        arrays = dict(archive)
    for name, change in DAMAGED[case].items():
        arrays[name] = change(arrays[name])
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"x\.npz: is no sound"):
        open_images(path).read()


def test_pictures_of_two_sizes_are_refused(tmp_path, make, pixels):
    paths = [
        make.sheets(tmp_path / "a.npz", pixels, per_sheet=4, labels=np.arange(24)),
        make.sheets(tmp_path / "b.npz", make.noise(4, 6, 6, 3), per_sheet=4, labels=np.arange(4)),
    ]
    with pytest.raises(InputError, match=r"b\.npz.*6x6 pixels, but 8x8 in a\.npz"):
        open_sheets(paths).read()


def test_columns_of_wrong_length_are_refused(tmp_path, make):
    pixels = make.noise(24, 8, 8, 3)
    for labels, others in ((23, 24), (24, 25)):
        path = make.sheets(
            tmp_path / "x.npz", pixels, per_sheet=4, labels=np.zeros(labels, int), number=np.arange(others)
        )
        with pytest.raises(InputError, match=rf"columns differ in length: .*'labels': {labels}, 'number': {others}"):
            open_images(path)
