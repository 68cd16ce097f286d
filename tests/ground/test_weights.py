"""Weights in one file or in several of limited size."""

import json
from typing import Any

import pytest
import safetensors.torch
import torch

from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.weights import INDEX_FILE, WEIGHTS_FILE, write_weights


class Towers(Component):
    """Layers of some hundred numbers each."""

    @configured
    def __init__(self, layers: int = 7) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(30, 10) for _ in range(layers))


LARGEST = 3000  # bytes: two layers of 1240 and their headers


@pytest.fixture
def towers():
    torch.manual_seed(0)
    return Towers()


@pytest.fixture
def folder(towers, tmp_path):
    towers.save_pretrained(tmp_path / "model", LARGEST)
    return tmp_path / "model"


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def same(one: Any, other: Any):
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_what_was_split_is_read_again(towers, folder):
    assert len(files(folder)) > 4
    assert WEIGHTS_FILE not in files(folder)
    assert all(path.stat().st_size <= LARGEST for path in folder.glob("*.safetensors"))
    assert same(Towers.from_pretrained(folder), towers)
    assert Towers.from_pretrained(folder, torch.bfloat16).layers[0].weight.dtype == torch.bfloat16


def test_the_index_is_the_usual_one(towers, folder):
    index = json.loads((folder / INDEX_FILE).read_text())
    assert index["metadata"]["total_size"] == sum(value.nbytes for value in towers.state_dict().values())
    found = {}
    for tensor, name in index["weight_map"].items():
        found[tensor] = safetensors.torch.load_file(folder / name)[tensor]
    assert all(torch.equal(found[name], value) for name, value in towers.state_dict().items())


def test_what_fits_is_one_file(towers, tmp_path):
    towers.save_pretrained(tmp_path, 1 << 20)
    assert files(tmp_path) == ["config.json", WEIGHTS_FILE]


def test_the_files_of_before_are_gone(towers, folder):
    towers.save_pretrained(folder)
    assert files(folder) == ["config.json", WEIGHTS_FILE]
    towers.save_pretrained(folder, LARGEST)
    assert WEIGHTS_FILE not in files(folder)
    towers.save_pretrained(folder, 2 * LARGEST)
    assert len({name.rpartition("-of-")[2] for name in files(folder) if "-of-" in name}) == 1
    assert same(Towers.from_pretrained(folder), towers)


def test_a_tensor_that_no_file_holds_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"wide alone takes .* MiB, .* take a larger shard size"):
        write_weights(tmp_path, {"wide": torch.zeros(1000)}, 1000)
    assert files(tmp_path) == []


def first_shard(folder):
    return min(folder.glob("*-of-*.safetensors"))


def rewrite(folder, change):
    path = folder / INDEX_FILE
    index = json.loads(path.read_text())
    change(index["weight_map"])
    path.write_text(json.dumps(index))


def swap_names(places):
    places.update(dict.fromkeys(places, "../../../etc/passwd"))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: first_shard(folder).unlink(), "lacks diffusion_pytorch_model-00001-of-"),
        (lambda folder: first_shard(folder).write_bytes(b"\0" * 50), "its weights do not fit"),
        (lambda folder: first_shard(folder).write_bytes(first_shard(folder).read_bytes()[:-9]), "do not fit"),
        (lambda folder: rewrite(folder, swap_names), "is no file of weights"),
        (lambda folder: rewrite(folder, lambda places: places.pop("layers.0.bias")), "holds other weights than"),
        (lambda folder: rewrite(folder, lambda places: places.clear()), "do not fit"),
        (lambda folder: (folder / INDEX_FILE).write_text("[1"), "JSON"),
        (lambda folder: (folder / INDEX_FILE).write_text('{"weight_map": 3}'), "weight_map"),
        (lambda folder: (folder / INDEX_FILE).unlink(), f"lacks {WEIGHTS_FILE}"),
    ],
)
def test_damage_is_told(folder, damage, complaint):
    damage(folder)
    with pytest.raises(InputError, match=complaint):
        Towers.from_pretrained(folder)


def test_numbers_that_are_none_are_refused(towers, tmp_path):
    with torch.no_grad():
        towers.layers[3].bias[2] = float("nan")
    towers.save_pretrained(tmp_path, LARGEST)
    with pytest.raises(InputError, match="NaN"):
        Towers.from_pretrained(tmp_path)
