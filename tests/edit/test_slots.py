"""Sets of fewer splats than a model's are brought into its slots, and completed."""

import json
from dataclasses import replace

import pytest
import torch
from commands import refused

from gaussiandiffusion import edit
from gaussiandiffusion.cli.main import run
from gaussiandiffusion.edit.slots import drawing
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.splats import storage

QUICK = {"rounds": 1, "num_inference_steps": 2}
SEVEN = [(-0.3, -0.5, 0.2, 0.07), (0.2, -0.5, 0.2, 0.07), (0.25, -0.2, 0.07, 0.15), (0.1, 0.1, 0.07, 0.15)]


@pytest.fixture(scope="module")
def pipe():
    return GaussianDiffusion.from_pretrained("mnist")


@pytest.fixture(scope="module")
def digits(pipe):
    """Three digits; splats that draw nothing among theirs."""
    return pipe(num_samples=3, seed=3, class_labels=[2, 4, 8]).splats


def equal(one, other):
    return all(torch.equal(value, other.tensors()[name]) for name, value in one.tensors().items())


def test_splats_go_where_they_suit_best_whatever_their_order(pipe, digits):
    upper = drawing(digits) & (digits.means[..., 1] < 0)
    given = edit.apply(digits, "delete", where="!inside(-1,-1,1,0) | brightness(0, 0.05)")
    assert given.num_splats < 24
    placed = edit.in_slots(pipe, given)
    assert placed.splats.num_splats == 24
    assert placed.kept.sum(1).tolist() == drawing(given).sum(1).tolist()
    assert not placed.splats.colors[~placed.kept].any()
    order = torch.randperm(given.num_splats, generator=torch.Generator().manual_seed(2))
    again = edit.in_slots(pipe, given.select(order))
    assert equal(again.splats, placed.splats)
    assert torch.equal(again.kept, placed.kept)
    assert (placed.kept & upper).sum() > 0.8 * upper.sum()  # nearly all where the model had them
    alone = edit.in_slots(pipe, given[1])
    assert equal(alone.splats, placed.splats[1])


def test_sets_in_slots_keep_them(pipe, digits):
    given = edit.in_slots(pipe, digits)
    assert equal(given.splats, replace(digits, opacities=torch.ones_like(digits.rhos)))
    assert torch.equal(given.kept, drawing(digits))
    placed = edit.in_slots(pipe, digits.select(range(10)))
    assert equal(edit.in_slots(pipe, placed.splats).splats, placed.splats)


def test_sets_that_an_edit_filled_up_are_told(pipe, digits):
    edited = edit.apply(digits, "delete", where="set(1) & index(0, 12)").translate(0.01, 0)
    assert edited.num_splats == 24
    placed, alone = edit.in_slots(pipe, edited), edit.in_slots(pipe, edited[1].select(range(22)))
    assert torch.equal(placed.kept[1:2], alone.kept)
    assert torch.equal(placed.splats.means[1:2][alone.kept], alone.splats.means[alone.kept])
    assert torch.equal(placed.splats.means[[0, 2]], edited.means[[0, 2]])


def test_what_is_left_of_sets_is_kept_bit_for_bit_and_completed(pipe, digits):
    left = digits.select(range(4, 20))
    left = replace(left, opacities=torch.full_like(left.rhos, 0.9))
    out = edit.complete(pipe, left, 5, class_labels=[2, 4, 8], **QUICK)
    placed = edit.in_slots(pipe, left)
    for name, value in out.splats.tensors().items():
        if name != "background":
            assert torch.equal(value[placed.kept], placed.splats.tensors()[name][placed.kept])
    assert not out.splats.colors[~placed.kept].isclose(placed.splats.colors[~placed.kept]).all()
    own = drawing(left)
    for number in range(3):
        kept, given = out.splats.means[number][placed.kept[number]], left.means[number][own[number]]
        assert sorted(kept.tolist()) == sorted(given.tolist())


def test_a_model_without_slots_takes_them_in_their_order(digits):
    model = GaussianDiffusion.from_pretrained("mnist")
    config = dict(model.representation.config) | {"per_slot": False}
    model.representation = SplatRepresentation(**{k: v for k, v in config.items() if not k.startswith("_")})
    given = edit.in_slots(model, digits.select(range(10)))
    assert given.kept[:, :10].sum() == drawing(digits.select(range(10))).sum()


def test_what_no_slot_suits_is_refused(pipe, digits):
    few = digits.select(range(5))
    stray = few.translate(2.5, 0, where=torch.arange(5)[None] == 2)
    stray = replace(stray, colors=stray.colors.clamp_min(0.3))
    shuffled = digits.select(torch.arange(24).flip(0))
    shuffled = replace(shuffled, colors=shuffled.colors.clamp_min(0.3))
    for given, said in (
        (stray, "splat 2 of set 0 lies far from every slot it could have; draw and encode"),
        (replace(few, means=few.means * 0 + 1.5, colors=few.colors + 0.3), "lies far from every slot"),
        (edit.apply(digits, "duplicate:x=0.1"), "have 48 splats each, the model's sets 24"),
        (replace(few, colors=few.colors * 0), "keeps nothing of set 0"),
        (replace(few, canvas=few.canvas.resized(32)), "canvas of 32x32, the model's is 28x28"),
        (shuffled, "not in the model's slots, or were moved far"),
    ):
        with pytest.raises(InputError, match=said):
            edit.complete(pipe, given, **QUICK)


def test_a_sketch_as_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    splats = [{"mean": [x, y], "sigma": [sx, sy], "rho": 0, "color": [0.8]} for x, y, sx, sy in SEVEN]
    header = {"format_version": 1, "canvas": [28, 28, 1], "blending": "sum", "output": "clamp"}
    (tmp_path / "sketch.json").write_text(json.dumps(header | {"sets": [{"splats": splats}]}))
    quick = ["--rounds", "1", "--steps", "2", "--num", "2"]
    assert run(["inpaint", "sketch.json", "--complete", "--label", "7", *quick, "--out", "out"]) == 0
    assert "sketch.json: each splat was put into the slot that suits it best" in capsys.readouterr().err
    made = storage.load("out/splats.safetensors")
    assert made.splats.num_splats == 24
    for number in range(2):
        means = made.splats.means[number].tolist()
        assert all(torch.tensor([x, y]).tolist() in means for x, y, *_ in SEVEN)
    assert run(["edit", "--replay", "out", "--out", "again.safetensors"]) == 0
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "out/splats.safetensors").read_bytes()
    line = refused(capsys, "inpaint", "sketch.json", "--keep", "index(0)", "--out", "other")
    assert "have 4 splats each, the model's sets 24; draw and encode them anew" in line
    splats[1]["mean"] = [2.5, 0]
    (tmp_path / "sketch.json").write_text(json.dumps(header | {"sets": [{"splats": splats}]}))
    line = refused(capsys, "inpaint", "sketch.json", "--complete", "--out", "other")
    assert "sketch.json: splat 1 of set 0 lies far from every slot it could have; draw and encode them anew" in line
    assert not (tmp_path / "other").exists()
