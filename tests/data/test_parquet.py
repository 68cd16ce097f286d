"""Parquet files of pictures, as Hugging Face writes them: columns, splits, row groups, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gaussiandiffusion.data import Framing, load_images, open_images, parquet
from gaussiandiffusion.ground.errors import InputError

pyarrow = pytest.importorskip("pyarrow")  # of an extra


@pytest.fixture
def table(make):
    """A function that writes some pictures to a file: structs of bytes and path, or the bytes alone."""
    from pyarrow import parquet as writer

    def write(path, pixels, *, plain=False, label="label", image="image", group=5, contents=None):
        contents = contents or [make.picture_bytes(each) for each in pixels]
        values = contents if plain else [{"bytes": content, "path": f"{i}.png"} for i, content in enumerate(contents)]
        columns = {image: values, "width": [1] * len(contents)}
        if label:
            columns[label] = [i % 3 for i in range(len(contents))]
        path.parent.mkdir(parents=True, exist_ok=True)
        writer.write_table(pyarrow.table(columns), path, row_group_size=group)
        return path

    return write


@pytest.mark.parametrize("batch", [1, 3, 64])
@pytest.mark.parametrize("options", [{}, {"plain": True}, {"image": "img", "label": "fine_label", "group": 100}])
def test_pictures_and_labels_come_back(tmp_path, make, table, monkeypatch, batch, options):
    monkeypatch.setattr(parquet, "BATCH", batch)
    pixels = make.noise(13, 6, 7, 3)
    source = open_images(table(tmp_path / "x.parquet", pixels, **options))
    assert (len(source), source.canvas, source.name) == (13, (6, 7, 3), "x.parquet")
    for positions in (np.arange(13), np.array([0, 4, 5, 12]), np.array([7]), np.array([2, 11]), np.arange(3, 9)):
        part = source.take(positions)  # forwards and backwards
        np.testing.assert_array_equal(part.images, pixels[positions].transpose(0, 3, 1, 2))
        assert part.labels.tolist() == (positions % 3).tolist()


def test_folders_of_files_are_read_by_split(tmp_path, make, table):
    pixels = make.noise(9, 4, 4)
    for i in range(2):
        table(tmp_path / "data" / f"train-{i:05d}-of-00002.parquet", pixels[i * 3 : i * 3 + 3], label=None)
    table(tmp_path / "data" / "test-00000-of-00001.parquet", pixels[6:], label=None)
    for split, part in (("train", pixels[:6]), ("test", pixels[6:])):
        loaded = load_images(tmp_path, split=split)
        np.testing.assert_array_equal(loaded.images[:, 0], part)
        assert (loaded.labels, loaded.split) == (None, split)


def test_celeba_from_a_copy_on_hugging_face(tmp_path, make, table):
    table(tmp_path / "celeba" / "data" / "train-0.parquet", make.noise(2, 218, 178, 3), label=None)
    assert load_images("celeba64", data_dir=tmp_path).images.shape == (2, 3, 64, 64)


def test_what_is_unsound_is_refused(tmp_path, make, table):
    pixels = make.noise(3, 4, 4)
    png = make.picture_bytes(pixels[0])
    cases = {
        "row 1: is not a picture": {"contents": [png, b"no picture"]},
        "row 1 holds no picture's bytes": {"contents": [png, None]},
        r"of several sizes \(1 of 4x4, such as x\.parquet: row 0; 1 of 5x5, .*--canvas": {
            "contents": [png, make.picture_bytes(make.noise(5, 5))]
        },
        "name that of the pictures 'image'": {"image": "photograph"},
        "labels are 0, 1, 2": None,
    }
    for message, options in cases.items():
        path = tmp_path / "x.parquet"
        if options is None:
            from pyarrow import parquet as writer

            writer.write_table(pyarrow.table({"image": [png, png], "label": [0, -1]}), path)
        else:
            table(path, pixels, **options)
        with pytest.raises(InputError, match=message) as caught:
            load_images(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 3, 100, -1])
def test_what_is_no_parquet_is_refused(tmp_path, make, table, keep):
    path = table(tmp_path / "x.parquet", make.noise(3, 4, 4))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"x\.parquet: is not a readable Parquet file"):
        load_images(path)


def test_without_pyarrow_the_extra_is_named(tmp_path, make, table, monkeypatch):
    path = table(tmp_path / "x.parquet", make.noise(3, 4, 4))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"gaussiandiffusion\[parquet\]"):
        open_images(path)


def test_a_split_that_no_file_is_called_by(tmp_path, make, table):
    table(tmp_path / "train-0.parquet", make.noise(2, 4, 4))
    with pytest.raises(InputError, match=r"holds no Parquet files called test-\.\.\."):
        open_images(tmp_path, split="test")
    (tmp_path / "train-0.parquet").rename(tmp_path / "all.parquet")
    assert open_images(tmp_path).split is None
    with pytest.raises(InputError, match="has no test split"):
        open_images(tmp_path, split="test")


def test_pictures_of_several_sizes_are_framed(tmp_path, make, table):
    contents = [make.picture_bytes(make.noise(*size)) for size in ((4, 4), (9, 5, 3), (6, 8, 4))]
    path = table(tmp_path / "x.parquet", None, contents=contents)
    assert load_images(path, framing=Framing(6, "pad", "RGBA")).images.shape == (3, 4, 6, 6)


def test_rows_without_a_label_are_refused(tmp_path, make):
    from pyarrow import parquet as writer

    png = make.picture_bytes(make.noise(4, 4))
    writer.write_table(pyarrow.table({"image": [png, png], "label": [0, None]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: 'label' .* labels are integers"):
        open_images(tmp_path / "x.parquet")
