"""Published HDF5 files of every layout as sets of ours, and what is refused."""

import numpy as np
import pytest
import torch
from published_sets import decibels, published_rows

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.drawing import draw
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas
from gaussiandiffusion.splats.formats import load_sets, open_sets
from gaussiandiffusion.splats.set_source import Reading

h5py = pytest.importorskip("h5py")  # of an extra
CANVAS = Canvas(32, 32, 3)
COLUMNS = {"scaling": slice(2), "rotation": slice(2, 3), "opacity": slice(3, 4), "features": slice(4, 7),
           "xyz": slice(7, 9)}  # fmt: skip


def arrays(path, sets, **beside):
    with h5py.File(path, "w") as file:
        file["W"] = sets.numpy()
        file.attrs["kernel_size"] = 32
        for name, values in beside.items():
            file[name] = values
    return path


@pytest.fixture
def sets():
    return published_rows(7, 12, 9)


def test_arrays_are_read_part_by_part_with_what_is_beside_them(tmp_path, sets):
    labels, psnr = np.arange(7), np.linspace(30, 40, 7)
    path = arrays(tmp_path / "x.h5", sets, labels=labels, psnr=psnr, done=np.arange(7) != 2)
    source = open_sets(path)
    parts = list(source.parts(3))
    assert [len(part.splats) for part in parts] == [2, 3, 1]
    assert torch.cat([part.labels for part in parts]).tolist() == [0, 1, 3, 4, 5, 6]
    assert source.notes[1] == "1 sets left out that are not done (the first: 2)"
    assert "soft clamp" in source.notes[0]
    drawn = torch.cat([render(part.splats) for part in parts])
    kept = torch.arange(7) != 2
    assert float(decibels(drawn, draw(sets[kept], CANVAS, kernel_size=32, output="soft")).min()) > 90
    found = load_sets(path)
    assert found.conditions.spec.attributes["class"][1] == "1"
    assert found.psnr.tolist() == pytest.approx(psnr[kept.numpy()].tolist())


def test_groups_are_read_by_their_numbers(tmp_path, sets):
    path = tmp_path / "x.hdf5"
    with h5py.File(path, "w") as file:
        for number, rows in zip((10, 9, 2, 30, 1, 100, 3), sets.numpy(), strict=True):
            for name, columns in COLUMNS.items():
                file[f"W/sprite_{number}/{name}"] = rows[:, columns]
    order = [4, 2, 6, 1, 0, 3, 5]
    drawn = render(load_sets(path, Reading(kernel_size=32)).splats)
    assert float(decibels(drawn, draw(sets[order], CANVAS, kernel_size=32)).min()) > 90


def test_sprites_without_alpha_are_read_by_their_names(tmp_path):
    sets = published_rows(3, 20, 8)
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for number, rows in zip((2, 10, 1), sets.numpy(), strict=True):
            file[f"sprite_{number}/W"] = rows
    full = torch.cat([sets[..., :3], torch.ones(3, 20, 1), sets[..., 3:]], -1)[[2, 1, 0]]  # 1, 10, 2
    drawn = render(load_sets(path, Reading(kernel_size=32)).splats)
    assert float(decibels(drawn, draw(full, CANVAS, kernel_size=32)).min()) > 90
    fitted = render(load_sets(path).splats)
    assert float(decibels(fitted, draw(full, CANVAS, kernel_size=17)).min()) >= 35


def test_angles_are_told_from_rhos_and_drawn_as_gaussianimage_does(tmp_path, sets):
    sets[..., :2] = 1 + 3 * sets[..., :2]  # pixels
    sets[2, 4, 2] = 3.1
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for number, rows in enumerate(sets.numpy()):
            for name, columns in COLUMNS.items():
                file[f"W/img_{number}/{name}"] = rows[:, columns]
    found = load_sets(path).splats
    cos, sin = sets[..., 2].cos(), sets[..., 2].sin()
    turned = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)  # y down
    expected = turned @ torch.diag_embed(sets[..., :2].square()) @ turned.transpose(-1, -2) / 16**2
    torch.testing.assert_close(found.covariances, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.means, sets[..., -2:] + 1 / 32, rtol=1e-4, atol=1e-5)


def external(path, sets):
    other = arrays(path.with_name("other.h5"), sets)
    with h5py.File(path, "w") as file:
        file["W"] = h5py.ExternalLink(other.name, "/W")


def virtual(path, sets):
    other = arrays(path.with_name("other.h5"), sets)
    layout = h5py.VirtualLayout(sets.shape, "f4")
    layout[:] = h5py.VirtualSource(str(other), "W", sets.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("W", layout)


def stored_elsewhere(path, sets):
    raw = path.with_name("raw.bin")
    raw.write_bytes(sets.numpy().tobytes())
    with h5py.File(path, "w") as file:
        file.create_dataset("W", sets.shape, "f4", external=[(str(raw), 0, h5py.h5f.UNLIMITED)])


def linked_group(path, sets):
    with h5py.File(path, "w") as file:
        file["sprite_1/W"] = sets[0].numpy()
        file["sprite_2"] = h5py.SoftLink("/sprite_1")


def short_labels(path, sets):
    arrays(path, sets, labels=np.arange(3))


def flat(path, sets):
    with h5py.File(path, "w") as file:
        file["W"] = sets[0].numpy()


def words(path, sets):
    with h5py.File(path, "w") as file:
        file["W"] = [b"a", b"b"]


def nothing(path, sets):
    with h5py.File(path, "w") as file:
        file["pictures"] = sets.numpy()


def shorter_part(path, sets):
    with h5py.File(path, "w") as file:
        for name, columns in COLUMNS.items():
            file[f"W/img_3/{name}"] = sets[2].numpy()[: 5 if name == "xyz" else 12, columns]


def cut(path, sets):
    arrays(path, sets)
    path.write_bytes(path.read_bytes()[:1500])


def empty(path, sets):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (external, "/W is a link"),
        (virtual, "no data set whose numbers lie in this file"),
        (stored_elsewhere, "no data set whose numbers lie in this file"),
        (linked_group, "sprite_2 is no group of this file"),
        (short_labels, r"labels has shape \(3,\) for 7 sets"),
        (flat, r"W is float32 \(12, 9\), not"),
        (words, "W holds object, not numbers"),
        (nothing, "holds no groups sprite_<id>"),
        (shorter_part, r"xyz has shape \(5, 2\), not \(12, 2\)"),
        (cut, "is no readable HDF5 file"),
        (empty, "is no readable HDF5 file"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path, sets, make, said):
    path = tmp_path / "bad.h5"
    make(path, sets)
    with pytest.raises(InputError, match=said) as error:
        load_sets(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_nan_is_left_out_and_counted(tmp_path, sets):
    sets[5, 0, 0] = float("inf")
    source = open_sets(arrays(tmp_path / "x.h5", sets))
    assert sum(len(part.splats) for part in source.parts()) == 6
    assert source.notes[1] == "1 sets left out, with NaN or infinity (the first: 5)"
    sets[...] = float("nan")
    with pytest.raises(InputError, match="holds no sound set"):
        load_sets(arrays(tmp_path / "x.h5", sets))
