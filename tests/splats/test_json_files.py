"""Sets as JSON: what comes back, and every way in which a file can be wrong."""

import json

import pytest
import torch

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import storage
from gaussiandiffusion.splats.json_files import open_json, read_json_sets, write_json_sets
from gaussiandiffusion.splats.set_source import Reading

SPLAT = {"mean": [0.25, -0.5], "sigma": [0.1, 0.2], "rho": 0.5, "color": [0.9]}
DOCUMENT = {
    "format_version": 1,
    "canvas": [12, 17, 1],
    "blending": "sum",
    "output": "clamp",
    "sets": [{"splats": [SPLAT, SPLAT]}, {"splats": [SPLAT, SPLAT]}],
}


def changed(**changes):
    """The document with some of its first splat's values replaced."""
    return DOCUMENT | {"sets": [{"splats": [SPLAT | changes, SPLAT]}, DOCUMENT["sets"][1]]}


def written(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("opacity", [False, True])
def test_every_float32_comes_back_as_it_was(make_splats, tmp_path, channels, opacity):
    extreme = torch.tensor([1e-30, 1 / 3, 16777217, 3.4e38, 1.1754944e-38, 0.1, 2 / 3, 1 + 2**-23, 1e10])
    splats = make_splats(
        channels=channels, opacities=torch.rand(2, 9) if opacity else None, background=torch.rand(2, channels)
    )
    splats.colors[0, :, 0] = extreme
    write_json_sets(splats, tmp_path / "x.json")
    read = read_json_sets(tmp_path / "x.json").splats
    assert read.tensors().keys() == splats.tensors().keys()
    for name, values in splats.tensors().items():
        assert torch.equal(read.tensors()[name], values), name
    assert (read.canvas, read.blending, read.output) == (splats.canvas, splats.blending, splats.output)


def test_all_that_a_splat_file_says_goes_through_json(make_splats, tmp_path):
    spec = ConditionSpec({"hair": ("green", "red"), "action": ("walk", "slash")})
    for name, conditions in (("a", Conditions(spec, torch.tensor([[1, 0], [2, 1]]))),
                             ("b", Conditions(ConditionSpec.of_classes(5), torch.tensor([[3], [0]])))):  # fmt: skip
        path = tmp_path / f"{name}.safetensors"
        made = {"signed": True, "encoder": {"start": "grid"}, "source": {"name": "strokes"}}
        storage.save(make_splats(), path, conditions=conditions, psnr=torch.tensor([30.1, 40.2]), **made)
        file = storage.load(path)
        write_json_sets(file.splats, tmp_path / "x.json", file.labels, conditions=file.conditions, psnr=file.psnr,
                        header=file.header)  # fmt: skip
        read = read_json_sets(tmp_path / "x.json")
        assert read.header == file.header
        assert torch.equal(read.psnr, file.psnr)
        assert (read.labels is None) == (file.labels is None)
        assert read.labels is None or torch.equal(read.labels, file.labels)
        assert read.conditions.spec == conditions.spec
        assert torch.equal(read.conditions.values, conditions.values)


def test_labels_alone_are_kept(make_splats, tmp_path):
    write_json_sets(make_splats(), tmp_path / "x.json", torch.tensor([4, 2]))
    assert read_json_sets(tmp_path / "x.json").labels.tolist() == [4, 2]


def test_a_document_made_by_hand_is_read_in_parts(tmp_path):
    source = open_json(written(tmp_path / "x.json", DOCUMENT), Reading())
    parts = list(source.parts(1))
    assert (len(source), len(parts), source.notes) == (2, 2, [])
    assert torch.equal(parts[1].splats.means, torch.tensor([[[0.25, -0.5], [0.25, -0.5]]]))


def test_a_file_cut_anywhere_is_refused_by_name(make_splats, tmp_path):
    path = tmp_path / "x.json"
    write_json_sets(make_splats(n=1, k=1), path)
    content = path.read_bytes().rstrip()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"x\.json: "):
            read_json_sets(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "is no JSON file of sets"),
        ({"images_per_second": 3}, "is no JSON file of sets"),
        (DOCUMENT | {"format_version": 2}, "format version 2 is not supported"),
        (DOCUMENT | {"canvas": [12, 17]}, "canvas: expected array of length 3"),
        (DOCUMENT | {"canvas": [12, 17, 2]}, "1, 3 or 4 channels, not 2"),
        (DOCUMENT | {"canvas": [10**9, 10**9, 1]}, "is too large"),
        (DOCUMENT | {"blending": "product"}, "blending"),
        (DOCUMENT | {"sets": []}, "holds no sets"),
        (DOCUMENT | {"sets": {}}, "expected array"),
        (DOCUMENT | {"sets": [{"splats": []}]}, "hold no splats"),
        (DOCUMENT | {"sets": [{"splats": [SPLAT]}, {"splats": []}]}, "set 1 has 0 splats, set 0 has 1"),
        (DOCUMENT | {"sets": [{"splats": [SPLAT], "label": 1}, {"splats": [SPLAT]}]}, "set 1 has no label"),
        (DOCUMENT | {"sets": [{"splats": [SPLAT], "label": 2**70}]}, "whole number"),
        (DOCUMENT | {"sets": [{"splats": [SPLAT], "background": [0, 0]}]}, "background has 2 numbers"),
        (changed(mean=[1.0]), "mean: expected array of length 2"),
        (changed(sigma=[0.1, 0.0]), "sigmas must be > 0"),
        (changed(sigma=[0.1, 1e-60]), "sigmas must be > 0"),
        (changed(rho=1), "rhos must lie between -1 and 1"),
        (changed(rho="0"), "rho: expected float"),
        (changed(rho=float("nan")), "rhos of set 0 hold NaN"),
        (changed(color=[1e300]), "colors of set 0 hold NaN or infinity"),
        (changed(color=[1, 1, 1]), "color has 3 numbers, but the canvas has 1"),
        (changed(opacity=0.5), "give all splats an opacity, or none"),
        ('{"format_version": 1, "sets": ' + "[" * 100, "JSON"),
        ('{"format_version": 1, "sets": ' + "[" * 100 + "]" * 100 + "}", "nested"),
        ("\x00", "JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, value, said):
    with pytest.raises(InputError, match=said) as raised:
        read_json_sets(written(tmp_path / "x.json", value))
    assert str(raised.value).startswith(str(tmp_path / "x.json"))
    assert "\n" not in str(raised.value)


def test_nothing_is_written_of_what_is_wrong(make_splats, tmp_path):
    splats = make_splats()
    splats.means[0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="NaN"):
        write_json_sets(splats, tmp_path / "x.json")
    with pytest.raises(InputError, match="labels hold"):
        write_json_sets(make_splats(), tmp_path / "x.json", torch.tensor([1]))
    assert not list(tmp_path.iterdir())
