"""HDF5 files whose attributes, columns or shapes cannot be: one sentence each, or what is sound, counted."""

import numpy as np
import pytest
from published_sets import published_rows

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats.formats import load_sets, open_sets
from gaussiandiffusion.splats.set_source import Reading

h5py = pytest.importorskip("h5py")  # of an extra
SETS = published_rows(5, 4, 9).numpy()


def arrays(path, attributes=None, **columns):
    with h5py.File(path, "w") as file:
        for name, values in ({"W": SETS, "labels": np.arange(5)} | columns).items():
            file[name] = values
        file.attrs.update({"kernel_size": 32} | (attributes or {}))
    return path


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kernel_size", [32, 32], "attribute kernel_size: expected int, got array"),
        ("kernel_size", "32", "attribute kernel_size: expected int, got str"),
        ("kernel_size", np.nan, "attribute kernel_size: expected int, got float"),
        ("kernel_size", 0, r"kernels of at least 2 pixels on at least 2x2, not of 0 on 32x32; give --kernel-size"),
        ("kernel_size", 1, "not of 1 on 32x32"),
        ("kernel_size", -5, "not of -5 on 32x32"),
        ("kernel_size", h5py.Empty("i"), "attribute kernel_size: expected int"),
        ("soft_clamp", "False", "attribute soft_clamp: must be 0 or 1, not 'False'"),
        ("soft_clamp", [True, False], "attribute soft_clamp: must be 0 or 1"),
        ("canvas", 5, "attribute canvas: expected array, got int"),
        ("canvas", [5, 5, 5], "attribute canvas: expected array of length 2"),
        ("canvas", [0, 5], "attribute canvas: .* >= 1"),
        ("canvas", [10**9, 10**9], "is too large; .*; give --sets-canvas"),
    ],
)
def test_attributes_are_checked(tmp_path, name, value, said):
    path = arrays(tmp_path / "x.h5", {name: value})
    with pytest.raises(InputError, match=said) as error:
        load_sets(path)
    assert str(error.value).startswith(str(path))


def test_soft_clamp_may_be_a_number(tmp_path):
    assert load_sets(arrays(tmp_path / "x.h5", {"soft_clamp": 0})).splats.output == "clamp"


@pytest.mark.parametrize(
    "labels", [[0.5, 1, 2, 3, 4], [np.nan, 1, 2, 3, 4], np.array([0, 1, 2, 2**63 + 5, 2], np.uint64)]
)
def test_labels_must_be_whole_numbers(tmp_path, labels):
    with pytest.raises(InputError, match="1 of its labels are no whole numbers; --labels FILE gives others"):
        load_sets(arrays(tmp_path / "x.h5", labels=labels))


def test_psnr_that_is_no_number_is_left_out_and_a_row_is_done_above_0(tmp_path):
    path = arrays(tmp_path / "x.h5", psnr=[30, np.nan, 31, np.inf, 32], done=[1.0, np.nan, 1, 1, -1])
    source = open_sets(path)
    (part,) = source.parts()
    assert part.psnr is None
    assert part.labels.tolist() == [0, 2, 3]
    assert source.notes[1:] == [
        "psnr left out: 1 of its numbers are NaN or infinity",
        "2 sets left out that are not done (the first: 1)",
    ]


def test_rows_that_are_not_done_need_not_be_stored(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("W", (100_000, 200, 9), "f4", chunks=(1, 200, 9))  # 0.7 GB, if it were full
        stored[7] = published_rows(1, 200, 9)[0]
        file.create_dataset("done", (100_000,), bool)[7] = True
    source = open_sets(path)
    assert sum(len(part.splats) for part in source.parts()) == 1
    with h5py.File(path, "a") as file:
        del file["done"]
    with pytest.raises(InputError, match=r"/W says it has shape \(100000, 200, 9\), but holds only 7200 bytes"):
        open_sets(path)


def test_none_done_is_said_with_the_reason(tmp_path):
    with pytest.raises(InputError, match=r"holds no sound set \(5 sets left out that are not done \(the first: 0\)\)"):
        load_sets(arrays(tmp_path / "x.h5", done=np.zeros(5, bool)))


def test_huge_shapes_of_every_layout_are_refused_unread(tmp_path):
    for name in ("sprite_1/W", "W/img_1/scaling"):
        path = tmp_path / f"{name.count('/')}.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset(name, (10**11, 2), "f4", chunks=(1000, 2))
        with pytest.raises(InputError, match=rf"/{name} says it has shape"):
            open_sets(path)


def test_names_that_are_no_text_are_passed_over(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["sprite_1/W"] = SETS[0]
        file[b"sprite_2\xff/W"] = SETS[1]
    assert len(load_sets(path, Reading(kernel_size=32)).splats) == 1


def test_a_dangling_link_is_no_missing_column(tmp_path):
    path = arrays(tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        del file["labels"]
        file["labels"] = h5py.SoftLink("/nowhere")
    with pytest.raises(InputError, match="/labels is missing, or a link, which is not followed"):
        load_sets(path)


def test_what_is_said_in_vain_is_refused(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for name, (first, end) in {"scaling": (0, 2), "opacity": (3, 4), "features": (4, 7), "xyz": (7, 9)}.items():
            file[f"W/img_0/{name}"] = SETS[0][:, first:end]
        file["W/img_0/rotation"] = SETS[0][:, 2:3] + 3  # angles
    assert len(load_sets(path, Reading(canvas=(16, 16))).splats) == 1
    with pytest.raises(InputError, match="of which --kernel-size, --clamp cannot be said"):
        load_sets(path, Reading(kernel_size=5, clamp="soft"))
