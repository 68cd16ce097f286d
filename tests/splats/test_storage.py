"""Splat files: what the header says, and every way in which a file can be wrong."""

import json

import pytest
import torch
from safetensors.torch import load_file, safe_open, save_file

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats, storage

HEADER = {"format_version": 1, "canvas": [12, 17, 1], "blending": "sum", "output": "clamp"}


def write(path, splats, header=HEADER, **changes):
    """A file made by hand: tensors replaced, or left out where None."""
    tensors = {name: value.contiguous() for name, value in splats.tensors().items()} | changes
    tensors = {name: value for name, value in tensors.items() if value is not None}
    save_file(tensors, path, {storage.HEADER_KEY: json.dumps(header)})
    return path


def test_the_header_says_all_that_was_given_in_one_sorted_string(make_splats, tmp_path):
    path = tmp_path / "x.safetensors"
    encoder, source = {"start": "grid", "a": 1}, {"name": "strokes", "split": "train"}
    make_splats(channels=3).save(path, signed=True, encoder=encoder, source=source)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert list(metadata) == [storage.HEADER_KEY]
    header = json.loads(metadata[storage.HEADER_KEY])
    assert metadata[storage.HEADER_KEY] == json.dumps(header, sort_keys=True)
    assert header == {
        "format_version": 1,
        "canvas": [12, 17, 3],
        "blending": "sum",
        "output": "clamp",
        "signed": True,
        "encoder": encoder,
        "source": source,
    }


def test_values_are_stored_as_float32_and_labels_as_int64(make_splats, tmp_path):
    splats = make_splats(dtype=torch.float64)
    view = Splats(splats.means.mT.contiguous().mT, splats.sigmas, splats.rhos, splats.colors, splats.canvas)
    view.save(tmp_path / "x.safetensors", labels=torch.tensor([1, 0]), psnr=torch.rand(2, dtype=torch.float64))
    dtypes = {name: value.dtype for name, value in load_file(tmp_path / "x.safetensors").items()}
    assert dtypes.pop("labels") == torch.int64
    assert set(dtypes.values()) == {torch.float32}
    # float64 rounded once to float32: nothing else may change.
    assert torch.equal(Splats.load(tmp_path / "x.safetensors").means, splats.means.float())


def test_a_file_cut_anywhere_is_refused_by_name(make_splats, tmp_path):
    path = tmp_path / "x.safetensors"
    make_splats(n=1, k=2).save(path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"x\.safetensors: "):
            storage.load(path)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ([1], "format version None"),
        (None, "format version None"),
        (HEADER | {"format_version": 2}, "format version 2 is not supported"),
        ({name: value for name, value in HEADER.items() if name != "canvas"}, "missing required field canvas"),
        (HEADER | {"canvas": [12, 17]}, "canvas: expected array of length 3"),
        (HEADER | {"canvas": [12.5, 17, 1]}, r"canvas\[0\]: expected int, got float"),
        (HEADER | {"canvas": "abc"}, "canvas: expected array, got str"),
        (HEADER | {"canvas": [0, 17, 1]}, "is empty"),
        (HEADER | {"canvas": [100_000, 100_000, 1]}, "is too large"),
        (HEADER | {"encoder": [1]}, "encoder: expected object, got array"),
        (HEADER | {"conditions": [["class", ["a", "a"]]]}, "values of different names"),
        (HEADER | {"conditions": [["class", ["a", "b"]]]}, "holds no index of each"),
        (HEADER | {"canvas": [12, 17, 3]}, r"colors must have shape \(2, 9, 3\)"),
        (HEADER | {"blending": "multiply"}, "blending: invalid enum value 'multiply'"),
        (HEADER | {"output": None}, "output: expected str, got null"),
        ({name: value for name, value in HEADER.items() if name != "output"}, "missing required field output"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_impossible_headers_are_refused_by_name(make_splats, tmp_path, header, complaint):
    path = write(tmp_path / "x.safetensors", make_splats(), header)
    with pytest.raises(InputError, match=rf"x\.safetensors: .*{complaint}"):
        storage.load(path)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"means": torch.zeros(9, 2)}, "means must have shape"),
        ({"means": torch.zeros(())}, "means must have shape"),
        ({"sigmas": torch.ones(2, 8, 2)}, "sigmas must have shape"),
        ({"rhos": torch.zeros(1, 9)}, "rhos must have shape"),
        ({"opacities": torch.zeros(2, 9, 1)}, "opacities must have shape"),
        ({"background": torch.zeros(2, 3)}, "background must have shape"),
        ({"colors": None, "rhos": None}, "lacks the tensors colors, rhos"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, "labels hold"),
        ({"labels": torch.zeros(2)}, "labels must be int64"),
        ({"psnr": torch.zeros(2, 1)}, "psnr hold"),
        ({"colors": torch.full((2, 9, 1), float("inf"))}, "colors of set 0 hold NaN or infinity"),
        ({"rhos": torch.full((2, 9), -1.0)}, "rhos must lie"),
        ({"sigmas": torch.full((2, 9, 2), -0.1)}, "sigmas must be > 0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_impossible_tensors_are_refused_by_name(make_splats, tmp_path, changes, complaint):
    path = write(tmp_path / "x.safetensors", make_splats(), **changes)
    with pytest.raises(InputError, match=rf"x\.safetensors: .*{complaint}"):
        storage.load(path)


HERO = ConditionSpec({"hair": ("red", "green"), "action": ("walk", "sit", "run"), "body": ("a",)})


@pytest.mark.parametrize("spec", [HERO, ConditionSpec.of_classes(("cat", "dog"))])
def test_conditions_come_back_with_their_names_in_their_order_and_open_ones_open(make_splats, tmp_path, spec):
    asked = Conditions.ask(spec, 2, {name: [len(names) - 1, None] for name, names in spec.attributes.items()})
    make_splats().save(tmp_path / "x.safetensors", conditions=asked)
    found = storage.load(tmp_path / "x.safetensors").conditions
    assert found.spec.to_dict() == spec.to_dict()
    assert list(found.spec.attributes) == list(spec.attributes)
    assert torch.equal(found.values, asked.values)
    assert found.words() == asked.words()


def test_labels_without_names_are_numbered(make_splats, tmp_path):
    make_splats().save(tmp_path / "x.safetensors", labels=torch.tensor([3, 1]))
    file = storage.load(tmp_path / "x.safetensors")
    assert file.labels.tolist() == file.conditions.labels.tolist() == [3, 1]
    assert file.conditions.words() == {"class": ["3", "1"]}


def test_foreign_files_are_refused_by_name(tmp_path):
    path = tmp_path / "x.safetensors"
    for content in (b"", b"PK\x03\x04 a zip", b"\x80\x04 a pickle", bytes(64)):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.safetensors: is not"):
            storage.load(path)
    with pytest.raises(InputError, match="no such splat file"):
        storage.load(tmp_path)


def test_what_could_not_be_read_again_is_not_written(make_splats, tmp_path):
    path = tmp_path / "x.safetensors"
    for extra in ({"labels": torch.zeros(3, dtype=torch.int64)}, {"psnr": torch.zeros(1)}):
        with pytest.raises(InputError, match=r"x\.safetensors: (labels|psnr) hold"):
            make_splats().save(path, **extra)
    with pytest.raises(InputError, match="hold no splats"):
        make_splats().select([]).save(path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_file_that_was_there(make_splats, tmp_path):
    path = tmp_path / "x.safetensors"
    make_splats().save(path)
    before = path.read_bytes()
    with pytest.raises(InputError):
        make_splats(dtype=torch.float64).scale(float("inf")).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
